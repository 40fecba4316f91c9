"""What the caller's side asks of the listener's: how a handler's batches go decides what a record has to hold."""

cpdef int way_of(object handler, bint asked=*) except -1
