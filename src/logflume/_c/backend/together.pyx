"""Writes batches for several handlers at once: as where a server's loggers and the others take turns.

Each batch on its own would cost a write, and what goes before it. Texts for the same stream become one text, whose
lines keep their order. Those for different files do not wait for each other. What is out of the ordinary is left to
deliver_batch().
"""

from cpython.object cimport PyObject

from logflume._c.backend.batch_text cimport BatchText, cut, new_text, whole
from logflume._c.backend.deliver cimport (
    empty_buffers, is_told, logflume_is_same_file, logflume_may_block, note_tried, write_in_pieces,
)
from logflume._c.backend.format cimport Composer, Limits, compose_simple, hold_messages
from logflume._c.backend.plan cimport Plan, forget, is_current, logflume_file, may_have_plan, plan_of
from logflume._c.backend.text cimport add_ascii, end_record
from logflume._c.batch cimport Batch
from logflume._c.reuse cimport recycle

__all__ = ["write_together"]

cdef extern from "backend/write.h" nogil:
    bint logflume_are_same(const logflume_file *file, const logflume_file *other)

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX
    PyObject **PySequence_Fast_ITEMS(object)
    object PyBytes_FromStringAndSize(const char *, Py_ssize_t)

cdef enum:
    MOST_BATCHES = 128

# A batch, for the time without the GIL.
cdef struct Part:
    PyObject *composer
    PyObject *terminator
    PyObject **records
    Py_ssize_t count


cdef class Turn:
    """A batch, and the handler that it is for."""

    cdef Batch batch
    cdef object handler
    cdef Plan plan


cdef class Written:
    """What was written: how many records, as a Batch and by handler."""

    cdef readonly Batch batch
    cdef readonly list counts  # (handler, records)

    cdef int count(self, Turn turn, Py_ssize_t count) except -1:
        turn.batch.count -= count
        self.batch.count += count
        self.counts.append((turn.handler, count))
        return 0


def write_together(taken not None, only_handler):
    """Write what can be written together of the batches in `taken`, a deque, and delete what was.

    `only_handler(targets)` returns the handler that records with these targets are for if there is but one, and
    nothing is left to ask it; else None. Return what was written, or None for nothing.
    """
    cdef Written written = Written.__new__(Written)
    cdef list turns, left = []
    cdef Turn turn
    cdef Plan plan
    try:
        turns = gather(taken, only_handler)
    except Exception:
        return None  # whatever is wrong, deliver_batch() meets it
    if len(turns) < 2:
        return None
    written.batch = Batch(None)
    written.batch.count = 0
    written.batch.created = (<Turn>turns[0]).batch.created
    written.counts = []
    try:
        for plan in one_by_stream(turns):
            write_to(plan, turns, written)
    except Exception:
        pass  # as above
    finally:
        for turn in turns:
            taken.popleft()
            if turn.batch.count > 0:
                left.append(turn.batch)
        taken.extendleft(reversed(left))
    return written if written.counts else None


cdef list gather(object taken, object only_handler):
    """Return turns for the first of the batches that can go together."""
    cdef list turns = []
    cdef dict handlers = {}, plans = {}  # by targets, and by handler
    cdef Batch batch
    cdef Turn turn
    cdef Plan plan
    for batch in taken:
        if not batch.records or len(turns) == MOST_BATCHES:
            break
        handler = handlers.get(batch.targets)
        if handler is None:
            handler = only_handler(batch.targets)
            if handler is None:
                break
            handlers[batch.targets] = handler
        plan = plans.get(id(handler))
        if plan is None:
            plan = quick_plan(handler, plans)
            if plan is None:
                break
            plans[id(handler)] = plan
        turn = Turn.__new__(Turn)
        turn.batch = batch
        turn.handler = handler
        turn.plan = plan
        turns.append(turn)
    return turns


cdef Plan quick_plan(object handler, dict plans):
    """Return the plan for a handler if its simple records can be written together with those for `plans`; or None."""
    cdef Plan plan, other
    if not may_have_plan(handler) or not handler.lock.acquire(False):
        return None
    try:
        plan = plan_of(handler)
    finally:
        handler.lock.release()
    if (
        plan is None
        or plan.sink is None
        or not plan.is_simple
        or plan.left > 0
        or plan.may_be_due
        or plan.may_rotate
        or not logflume_may_block(&plan.file)
    ):
        return None
    for other in plans.values():
        # Of two streams over the same file one cannot wait for the other.
        if other.stream != plan.stream and logflume_are_same(&plan.file, &other.file):
            return None
    return plan


cdef list one_by_stream(list turns):
    """Return a plan for each stream."""
    cdef list plans = []
    cdef Turn turn
    cdef Plan plan
    for turn in turns:
        for plan in plans:
            if plan.stream == turn.plan.stream:
                break
        else:
            plans.append(turn.plan)
    return plans


cdef int write_to(Plan first, list turns, Written written) except -1:
    """Write the batches for the stream of `first` up to one that has to go alone."""
    cdef list mine = [], locked = []
    cdef Turn turn
    cdef object seen = set()
    try:
        for turn in turns:
            if turn.plan.stream != first.stream:
                continue
            if id(turn.handler) not in seen:
                seen.add(id(turn.handler))
                if not turn.handler.lock.acquire(False):
                    break
                locked.append(turn.handler)
                if not is_current(turn.plan, turn.handler) or not is_told(turn.plan, turn.batch.records[0]):
                    break
            mine.append(turn)
        if mine:
            write_turns(mine, written)
    finally:
        for handler in locked:
            handler.lock.release()
    return 0


cdef int write_turns(list turns, Written written) except -1:
    """Write batches for the same stream, whose handlers' locks are held."""
    cdef Part parts[MOST_BATCHES]
    cdef Limits limits
    cdef Turn turn
    cdef Plan plan = (<Turn>turns[0]).plan
    cdef BatchText text
    cdef Py_ssize_t made = 0, index, count = len(turns), composed, size = -1, start, wide, records
    for index in range(count):
        turn = turns[index]
        parts[index].composer = <PyObject *>turn.plan.composer
        parts[index].terminator = <PyObject *>turn.plan.terminator
        parts[index].records = PySequence_Fast_ITEMS(turn.batch.records)
        parts[index].count = len(turn.batch.records)
    empty_buffers(plan)  # other code may have written to it
    limits.size = limits.room = PY_SSIZE_T_MAX
    text = new_text(plan.sink.ascii)
    # What is read here stays as it is: see deliver.pyx.
    with nogil:
        while made < count:
            start, wide, records = text.text.size, text.text.wide, text.text.count
            limits.terminator = parts[made].terminator
            composed = compose_simple(
                &text.text, <Composer>parts[made].composer, parts[made].records, parts[made].count, &limits
            )
            if composed < parts[made].count:
                text.text.size, text.text.wide, text.text.count = start, wide, records
                break
            made += 1
        if plan.capacity == 0 and made > 0:
            size = write_in_pieces(&plan.file, &text.text)
    for turn in turns:
        hold_messages(turn.plan.composer)
    if made < count:
        note_tried((<Turn>turns[made]).plan, False)
    if made == 0:
        return 0
    if plan.capacity > 0:
        return put_through_buffer(plan, turns, text, written)
    if size < 0:
        return forget(plan)  # another file may have that number now, for good
    records = whole(&text.text, size)
    for _, piece in pieces_of(turns, records, written):
        recycle(piece, len(piece))
    if size < text.text.size:
        finish_record(turns, text, records, size, written)
    return 0


cdef list pieces_of(list turns, Py_ssize_t count, Written written):
    """Take the first `count` records from their batches, and return them by turn."""
    cdef list pieces = [], piece
    cdef Turn turn
    cdef Py_ssize_t most
    for turn in turns:
        if count == 0:
            break
        if turn.batch.count == 0:
            continue
        most = len(turn.batch.records)
        if most <= count:
            piece = turn.batch.records
            turn.batch.records = []
        else:
            most = count
            piece = turn.batch.records[:most]
            del turn.batch.records[:most]
        written.count(turn, most)
        pieces.append((turn, piece))
        count -= most
    return pieces


cdef int finish_record(list turns, BatchText text, Py_ssize_t index, Py_ssize_t size, Written written) except -1:
    """Have the sink write the rest of a record of which the first `size` bytes of the text have a part."""
    cdef Py_ssize_t begin = text.text.ends[index - 1] if index > 0 else 0
    cdef BatchText torn = new_text(text.text.ascii)
    cdef Turn turn
    cdef list piece
    if size > begin and not add_ascii(&torn.text, text.text.bytes + begin, text.text.ends[index] - begin):
        if not end_record(&torn.text):
            for turn, piece in pieces_of(turns, 1, written):
                turn.plan.sink.put(turn.handler, piece, torn, size - begin)
    return 0


cdef int put_through_buffer(Plan plan, list turns, BatchText text, Written written) except -1:
    """As BufferSink.put() with the batches of several handlers."""
    cdef Py_ssize_t begin = 0, end, done = 0, count
    cdef Py_ssize_t most = min(plan.capacity, plan.file.at_once)
    cdef object buffer = plan.sink.buffer
    cdef list pieces, piece
    cdef Turn turn
    if not logflume_is_same_file(&plan.file):
        return forget(plan)
    while done < text.text.count:
        end = cut(&text.text, begin, most)
        if end - begin > plan.capacity or not logflume_may_block(&plan.file):
            return 0
        count = whole(&text.text, end) - done
        data = PyBytes_FromStringAndSize(text.text.bytes + begin, end - begin)
        buffer.write(data)
        pieces = pieces_of(turns, count, written)
        try:
            buffer.flush()
        except Exception:
            for turn, piece in pieces:
                turn.plan.sink.flush_piece(turn.handler, [], piece)
            return 0
        for _, piece in pieces:
            recycle(piece, len(piece))
        begin = end
        done += count
    return 0
