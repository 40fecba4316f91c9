"""Writes batches for several handlers at once: as where a server's loggers and the others take turns.

Each batch on its own would cost a write, and what goes before it. Texts for the same stream become one text, whose
lines keep their order. Those for different files do not wait for each other. What is out of the ordinary is left to
deliver_batch().
"""

cdef extern from "backend/write.h" nogil:
    bint logflume_are_same(const logflume_file *file, const logflume_file *other)

cdef enum:
    MOST_BATCHES = 128


def write_together(taken not None, only_handler):
    """Write what can be written together of the batches in `taken`, a deque, and delete what was.

    `only_handler(targets)` returns the handler that records with these targets are for if there is but one, and
    nothing is left to ask it; else None. Return what was written: as a Batch without the records, and a list of
    (handler, how many records). None for nothing.
    """
    cdef Batch written, batch
    cdef Turn turn
    cdef Py_ssize_t count
    cdef list turns, counts = [], left = []
    cdef dict streams = {}
    try:
        turns = gather(taken, only_handler)
    except Exception:
        return None  # whatever is wrong, deliver_batch() meets it
    if len(turns) < 2:
        return None
    for turn in turns:
        streams.setdefault(<size_t>turn.plan.stream, []).append(turn)
    written = Batch(None)
    written.count = 0
    written.created = (<Batch>taken[0]).created
    try:
        for same in streams.values():
            write_to(same)
    except Exception:
        pass  # as above
    finally:
        for turn in turns:
            batch = taken.popleft()
            count = batch.count - len(batch.records)
            if count > 0:
                counts.append((turn.handler, count))
                written.count += count
                batch.count -= count
            if batch.count > 0:
                left.append(batch)
        taken.extendleft(reversed(left))
    return (written, counts) if counts else None


cdef list gather(object taken, object only_handler):
    """Return turns for the first of the batches that can go together."""
    cdef list turns = []
    cdef dict handlers = {}, plans = {}  # by targets, and by handler
    cdef Batch batch
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
        turns.append(new_turn(handler, plan, batch.records))
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


cdef int write_to(list turns) except -1:
    """Write the batches for a stream up to one that has to go alone."""
    cdef list mine = []
    cdef dict locked = {}  # by id()
    cdef Turn turn
    try:
        for turn in turns:
            if id(turn.handler) not in locked:
                if not turn.handler.lock.acquire(False):
                    break
                locked[id(turn.handler)] = turn.handler
                if not is_current(turn.plan, turn.handler) or not is_told(turn.plan, turn.records[0]):
                    break
            mine.append(turn)
        if mine:
            write_turns(mine)
    finally:
        for handler in locked.values():
            handler.lock.release()
    return 0


cdef int write_turns(list turns) except -1:
    """Write batches for the same stream, whose handlers' locks are held."""
    cdef PyObject **items = sequence_items(<PyObject *>turns)
    cdef Limits limits
    cdef Turn turn
    cdef Plan plan = (<Turn>turns[0]).plan
    cdef BatchText text
    cdef Py_ssize_t made = 0, count = len(turns), size = -1, start, wide, records
    empty_buffers(plan)  # other code may have written to it
    limits.size = limits.room = PY_SSIZE_T_MAX
    text = new_text(plan.sink.ascii)
    # What is read here stays as it is: see deliver.pxi.
    with nogil:
        while made < count:
            start, wide, records = text.text.size, text.text.wide, text.text.count
            limits.terminator = <PyObject *>(<Turn>items[made]).plan.terminator
            if compose_simple(
                &text.text,
                (<Turn>items[made]).plan.composer,
                sequence_items(<PyObject *>(<Turn>items[made]).records),
                sequence_size(<PyObject *>(<Turn>items[made]).records),
                &limits,
            ) < sequence_size(<PyObject *>(<Turn>items[made]).records):
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
        put_through_buffer(plan, turns, text)
        return 0
    if size < 0:
        return forget(plan)  # another file may have that number now, for good
    records = whole(&text.text, size)
    for _, piece in take_first(turns, records):
        recycle(piece, len(piece))
    if records < text.text.count and size > text.end(records - 1):
        # a part of a record was written: its handler's sink writes the rest
        text.text.count = records + 1
        text.text.size = text.text.ends[records]
        for turn, piece in take_first(turns, 1):
            plan.sink.put(turn.handler, [None] * records + piece, text, size)
    return 0
