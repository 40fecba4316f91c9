/* Copies and digits of a few bytes, which is what most of a record's text is made of. */
#ifndef LOGFLUME_COPY_H
#define LOGFLUME_COPY_H

#include <stddef.h>
#include <string.h>

/* memcpy() for sizes from 0 on: the compiler turns those of a fixed size into moves, where a call costs more than
   the copy. Nothing outside of the two areas is touched. */
static inline void
logflume_copy(char *to, const char *from, size_t size)
{
    if (size > 32) {
        memcpy(to, from, size);
    }
    else if (size >= 16) {
        memcpy(to, from, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    }
    else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    }
    else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    }
    else if (size > 0) {
        to[0] = from[0];
        to[size / 2] = from[size / 2];
        to[size - 1] = from[size - 1];
    }
}

/* Writes `number` in decimal so that it ends before `end`; returns where it begins. At most 20 digits. */
static inline char *
logflume_digits(char *end, unsigned long long number)
{
    static const char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    while (number >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (number % 100), 2);
        number /= 100;
    }
    if (number >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * number, 2);
    }
    else {
        *--end = (char)('0' + number);
    }
    return end;
}

#endif
