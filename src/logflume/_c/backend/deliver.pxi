"""Hands batches of records to the handlers; _py/deliver.py says what that means."""

cdef extern from "backend/write.h" nogil:
    bint logflume_is_same_file(const logflume_file *file)
    bint logflume_may_block(const logflume_file *file)
    Py_ssize_t logflume_write(const logflume_file *file, const char *bytes, Py_ssize_t size)

cdef object standard_filter = logging.Filterer.filter

cdef enum:
    MOST_NOT_TRIED = 63  # batches


def deliver_batch(handler, list records not None, report, progress=None):
    """Deliver `records`, in order, to `handler`, and empty the list; see the pure twin, which says it all."""
    cdef int way
    cdef Py_ssize_t alone
    cdef bint calls = False
    cdef list passed = []  # the filters that all of the records passed
    if progress is None:
        progress = Progress()
    while records:
        # Asked again after each record that went alone: what ran for it may have changed the handler.
        if not progress.asked:
            calls = filters_are_left(handler, records, passed)
            if not records:
                return
        alone = write_composed(handler, records, progress) if not calls and may_have_plan(handler) else -1
        if alone < 0:
            way = way_of(handler, not calls)
            if calls and way_of(handler, True) == COMPOSED:
                make_log_records(records)
                alone = write_filtered(handler, records, report, progress, line_maker)
            elif way == COMPOSED:  # it has become so just now
                continue
            else:
                make_log_records(records)
                if way == FORMATTED and len(records) > 1:
                    alone = write_formatted(handler, records, report, progress)
                elif way == HANDED_OVER:
                    hand_over(handler, records, report, progress)
                    return
                else:
                    alone = len(records)
        if alone:
            make_log_records(records, alone)
            one_by_one(handler, records, alone, report, progress)


cdef bint filters_are_left(object handler, list records, list passed) except -1:
    """Delete the records that filters drop by name; tell whether there are filters that have to be called.

    `passed` has the filters that the records passed before.
    """
    if getattr(type(handler), "filter", None) is not standard_filter:  # or it is no logging.Handler
        return True
    cdef object own = instance_dict(handler), filters = dict_get(own, "filters", None)
    if "filter" in own:
        return True
    if PyList_CheckExact(filters) and (PyList_GET_SIZE(filters) == 0 or filters == passed):
        return False
    if way_of(handler, False) not in (COMPOSED, FORMATTED):
        return True
    passed[:] = filters
    drop_by_name(filters, records)
    return False


cdef int drop_by_name(list filters, list records) except -1:
    """Delete the records that one of the filters, which are logging's own, does not let pass."""
    cdef list kept = []
    cdef object name
    for record in records:
        if Py_TYPE(record) is captured_type and (<CapturedRecord>record).made is None:
            name = (<CapturedRecord>record).name
        else:
            name = getattr(log_record(record), "name", "")
        if by_name(filters, name) != DROPS:
            kept.append(record)
    if len(kept) < len(records):
        records[:] = kept
    return 0


cdef Py_ssize_t write_composed(object handler, list records, object progress) except? -2:
    """Write the records that go together, filters apart; return how many of those left have to go one at a time.

    -1 if the handler's batches are not composed.
    """
    cdef Plan plan
    cdef Composer composer
    cdef BatchText text
    cdef Limits limits
    cdef Py_ssize_t written = -1, done = 0, count = len(records)
    cdef PyObject **items
    cdef bint without_gil = False
    with handler.lock:
        try:
            plan = plan_of(handler)
            if plan is None:
                return -1
            if plan.sink is None or plan.may_be_due:
                if due(handler):
                    return 1
            sink = plan.sink
            if sink is None:
                sink = sink_of(handler)
                if sink is None:
                    return count
            else:
                if plan.may_be_due and not is_current(plan, handler):
                    return 0  # the file was opened again: make another plan
                empty_buffers(plan)  # other code may have written to it
                if plan.may_rotate:
                    sink.room = room_of(handler, sink.raw)
                if plan.is_simple and plan.left == 0:
                    without_gil = is_told(plan, records[0])
            composer = plan.composer
            limits.terminator = <PyObject *>plan.terminator
            limits.size = sink.limit
            limits.room = sink.room
            text = new_text(sink.ascii)
        except Exception:
            return 1  # whatever is wrong, the handler meets it on its own, and reports it
        if without_gil:
            # What is read here stays as it is: `records` keeps the records, whose fields are not written now (see
            # CapturedRecord), and a plan is used only with the handler's lock held.
            items = sequence_items(<PyObject *>records)
            with nogil:
                done = compose_simple(&text.text, composer, items, count, &limits)
                if done == count and plan.capacity == 0:
                    written = write_in_pieces(&plan.file, &text.text)
            hold_messages(composer)
            note_tried(plan, done == count)
        elif plan.left:
            plan.left -= 1
        if done < count:
            progress.composing = True
            try:
                compose(text, composer, records, done, &limits)
            finally:
                progress.composing = False
            if plan.sink is None or text.text.count == 0 or text.interrupt is not None or text.explained is not None:
                return write_text(handler, records, sink, text)
            if plan.capacity == 0:
                with nogil:
                    written = write_in_pieces(&plan.file, &text.text)
        if plan.capacity > 0:
            written = put_through_buffer(plan, [new_turn(handler, plan, records)], text)
            if written < 0:
                return len(records)
            return (sink.put(handler, records, text, written) if written < text.text.size else 0) or int(text.special)
        # No signal handler runs in a thread, so that a write and the note of it cannot come apart.
        if written == text.text.size:
            recycle(records, text.text.count)
            return 1 if text.special else 0
        if written >= 0:
            return sink.put(handler, records, text, written)
        forget(plan)  # another file may have that number now, for good
        return write_text(handler, records, sink, text)


cdef void note_tried(Plan plan, bint succeeded) noexcept:
    """Note whether a batch could be composed without the GIL."""
    plan.left = plan.not_tried = 0 if succeeded else min(2 * plan.not_tried + 1, MOST_NOT_TRIED)


cdef Py_ssize_t write_in_pieces(const logflume_file *file, const Text *text) noexcept nogil:
    """Write the text up to what takes more than a write; return how many bytes were written.

    -1 if nothing was, and that is not because the file would block or of a signal.
    """
    cdef Py_ssize_t begin = 0, end, written
    while begin < text.size:
        end = cut(text, begin, file.at_once)
        written = logflume_write(file, text.bytes + begin, end - begin)
        if written < 0:
            return begin if begin > 0 else -1
        begin += written
        if begin < end:
            break
    return begin


cdef int empty_buffers(Plan plan) except -1:
    """As DescriptorSink.empty_buffers(), to which it leaves what would block."""
    if logflume_may_block(&plan.file):
        plan.sink.stream().flush()  # code that ran since is_current() may have given the handler another one
    else:
        plan.sink.empty_buffers()
    return 0


cdef class Turn:
    """Some records, and the handler that they are for."""

    cdef object handler
    cdef Plan plan
    cdef list records


cdef Turn new_turn(object handler, Plan plan, list records):
    cdef Turn turn = Turn.__new__(Turn)
    turn.handler = handler
    turn.plan = plan
    turn.records = records
    return turn


cdef list take_first(list turns, Py_ssize_t count):
    """Take the first `count` records from the turns, and return (turn, its records) for each that had some."""
    cdef list pieces = [], piece
    cdef Turn turn
    for turn in turns:
        piece = turn.records[:count]
        if piece:
            del turn.records[:count]
            pieces.append((turn, piece))
            count -= len(piece)
    return pieces


cdef Py_ssize_t put_through_buffer(Plan plan, list turns, BatchText text) except -2:
    """Do as BufferSink.put() with records for the same stream, and return how many bytes it need not put any more.

    -1 if the records that are left have to go one at a time.
    """
    cdef Py_ssize_t begin = 0, end, done = 0, count, alone = 0
    cdef Py_ssize_t most = min(plan.capacity, plan.file.at_once)
    cdef object sink = plan.sink, buffer = sink.buffer
    cdef list pieces, piece
    cdef Turn turn
    if not logflume_is_same_file(&plan.file):
        forget(plan)
        return 0
    while done < text.text.count:
        end = cut(&text.text, begin, most)
        if end - begin > plan.capacity or not logflume_may_block(&plan.file):
            return begin
        data = PyBytes_FromStringAndSize(text.text.bytes + begin, end - begin)
        count = whole(&text.text, end) - done
        try:
            buffer.write(data)
        except Exception:
            return begin
        pieces = take_first(turns, count)
        try:
            buffer.flush()
        except Exception:
            for turn, piece in pieces:
                alone += sink.flush_piece(turn.handler, turn.records, piece)
            if alone:
                return -1
        for _, piece in pieces:
            recycle(piece, len(piece))
        begin = end
        done += count
    return begin


cdef bint is_told(Plan plan, object record) except -1:
    """Have the plan's clock, if any, show the second of `record`; false if it cannot."""
    if plan.composer.clock is None:
        return True
    return (
        Py_TYPE(record) is captured_type
        and tick(plan.composer.clock, (<CapturedRecord>record).created)
    )


def drop_below(list records not None, object level):
    """Delete the records below `level` from the list."""
    cdef bint is_usual = PyLong_CheckExact(level) and -1000000 < level < 1000000
    cdef long long least = level if is_usual else 0
    cdef list kept = []
    for record in records:
        if is_usual and Py_TYPE(record) is captured_type:
            if (<CapturedRecord>record).levelno >= least:
                kept.append(record)
        elif record.levelno >= level:
            kept.append(record)
    if len(kept) < len(records):
        records[:] = kept
