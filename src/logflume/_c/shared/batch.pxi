"""The part of a listener that a log call looks at, and the batches that are taken out of its queue."""

cdef enum:  # what a listener's class may have of its own
    OWN_DEQUEUE = 1
    OWN_HANDLING = 2

# gevent puts greenlets in the place of threads.
cdef bint IDENTS_ARE_OF_THREADS = get_ident is _thread.get_ident
cdef object flush_request = FlushRequest
cdef object standard_dequeue = QueueListener.dequeue


cdef class ListenerCore:
    """State shared by a listener and the handlers that feed it.

    state: where the listener is in its life, a number of _shared/state.py
    delivering_thread: identity of the thread that runs the handlers, or 0
    flush_at: the level, as a number, from which on a record is handled at once
    flush_wanted: whether the handlers are to be flushed, for a record of that level
    qsize: the queue's own qsize, if a log call has to ask how long it is, or None
    """

    cdef bint delivers_here(self) except -1:
        """Whether the calling thread is the one that runs the handlers."""
        if self.delivering_thread == 0:
            return False
        if IDENTS_ARE_OF_THREADS:
            return self.delivering_thread == PyThread_get_thread_ident()
        return self.delivering_thread == get_ident()

    @property
    def calls_to_brake(self):
        """How many more records may be enqueued before a call looks how long the queue is."""
        return <long long>load(&self._calls_to_brake)

    @calls_to_brake.setter
    def calls_to_brake(self, long long calls):
        store(&self._calls_to_brake, <unsigned long long>calls)

    cdef bint is_brake_due(self) noexcept:
        """Count a call that put a record into the queue; tell whether it has to look how long that is.

        Without the GIL two threads may count one: it matters only that they count about right.
        """
        cdef long long calls = <long long>load(&self._calls_to_brake) - 1
        store(&self._calls_to_brake, <unsigned long long>calls)
        return calls <= 0

    @property
    def crowded_at(self):
        """How long the queue may be, if a log call has to ask."""
        return load(&self._crowded_at)

    @crowded_at.setter
    def crowded_at(self, unsigned long long length):
        store(&self._crowded_at, length)

    cdef bint is_crowded(self) except -1:
        """Whether put_crowded() has to put the next record: the queue is bounded, and has little room or none."""
        return self.qsize is not None and <unsigned long long>call0(self.qsize) >= load(&self._crowded_at)

    cdef bint takes_captured(self, object queue) except -1:
        """Whether what is put into `queue` comes out of it in take(), where no other code can see it."""
        return queue is self.queue and type(queue) is SimpleQueue and not self.own_parts() & OWN_DEQUEUE

    cdef unsigned long long own_parts(self) except? 0:
        """Return what the class has of its own; looked at anew when the class has changed."""
        cdef unsigned int version = type_version(Py_TYPE(self))
        cdef unsigned long long checked = load(&self._checked)
        if version == 0 or version != checked >> 2:
            cls = type(self)
            version = assign_type_version(Py_TYPE(self))
            checked = <unsigned long long>version << 2
            if cls.dequeue is not standard_dequeue:
                checked |= OWN_DEQUEUE
            if (cls.handle, cls.prepare) != self.standard_handling:
                checked |= OWN_HANDLING
            store(&self._checked, checked)
        return checked

    @property
    def is_polled(self):
        """Whether what is queued comes out of the queue in take(), and nowhere else."""
        return self.takes_captured(self.queue)

    @property
    def handles_itself(self):
        """Whether a subclass, or a patched instance, has a handle() or prepare() of its own to call for each record."""
        cdef object own = instance_dict(self)
        return bool(self.own_parts() & OWN_HANDLING) or "handle" in own or "prepare" in own


cdef class Batch:
    """What was taken from the queue: some records for the same handlers, or a sentinel or flush request, alone."""

    def __init__(self, item):
        self.records = []
        self.count = 1
        if type(item) is flush_request:
            self.request = item
        elif item is not None:
            if type(item) is tuple:
                self.targets = (<tuple>item)[0]
            self.append(item)
            self.created = created(self.records[0])

    cdef bint add(self, object item) except -1:
        """Take `item` in, if it is a record for the same handlers."""
        if not self.records or item is None or type(item) is flush_request:
            return False
        if ((<tuple>item)[0] if type(item) is tuple else None) is not self.targets:
            return False
        self.append(item)
        self.count += 1
        return True

    cdef int append(self, object item) except -1:
        """Append a record, with the contextvars that came beside it or are kept for it."""
        cdef object record = item, context = None
        if type(item) is tuple:
            record = (<tuple>item)[1]
            if len(<tuple>item) == 3:
                context = (<tuple>item)[2]
        elif kept_contexts and Py_TYPE(item) is not captured_type:
            context = take_context(item)
        if context is not None:
            if Py_TYPE(record) is captured_type:
                (<CapturedRecord>record).context = context
            else:
                if self.contexts is None:
                    self.contexts = {}
                self.contexts[id(record)] = record, context
        self.records.append(record)
        return 0


cdef double created(object record) except? -1.0:
    """Return record.created; 0.0 if that is no time."""
    cdef object found
    if Py_TYPE(record) is captured_type:
        return (<CapturedRecord>record).created
    try:
        found = record.created
    except Exception:  # the record would be lost
        return 0.0
    return PyFloat_AS_DOUBLE(found) if PyFloat_CheckExact(found) else 0.0


cdef bint overtake(object taken, object item) except -1:
    """Put `item` into a batch for the same handlers, if those after it in `taken` are for others; tell if it is."""
    cdef Batch batch
    if type(item) is not tuple or (<tuple>item)[0] is None:
        return False
    for batch in reversed(taken):
        if batch.add(item):
            return True
        if batch.targets is None or not (<tuple>item)[0].is_apart_from(batch.targets):
            return False
    return False


cpdef Py_ssize_t take(object queue, Py_ssize_t limit, object taken, bint overtakes=False) except -1:
    """Move up to `limit` items that are in `queue` now to `taken`, in batches, oldest first, without waiting.

    `overtakes` tells that copies of a record for some handlers need not wait for those for others. Returns how many
    items these were.
    """
    cdef Batch batch = None
    cdef object get = queue.get_nowait
    cdef object item = None
    cdef bint in_hand = False
    cdef Py_ssize_t count = 0
    if type(queue) is SimpleQueue:
        limit = min(limit, <Py_ssize_t>queue.qsize())  # to be told by an exception costs more
    try:
        while count < limit:
            in_hand = False
            item = call0(get)
            in_hand = True
            if (batch is None or not batch.add(item)) and not (overtakes and overtake(taken, item)):
                batch = Batch(item)
                taken.append(batch)
            count += 1
    except BaseException as error:
        if in_hand:
            queue.put_nowait(item)  # there is no memory: better late than lost
        elif isinstance(error, Empty):
            return count
        raise
    return count
