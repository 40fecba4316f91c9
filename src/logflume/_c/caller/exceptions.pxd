cpdef object capture(object exc_info)
