/* Copies and digits of a few bytes, which is what most of a record's text is made of. */
#ifndef LOGFLUME_DIGITS_H
#define LOGFLUME_DIGITS_H

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

#define LOGFLUME_MOST_DECIMALS 9

/* Writes `number` with that many decimals, as '%.*f' does: rounded exactly, half to even. Returns where it begins, or
   NULL if the number is too large for that, or is none. At most 22 characters. */
static inline char *
logflume_decimals(char *end, double number, int decimals)
{
#ifdef __SIZEOF_INT128__
    static const unsigned int powers[LOGFLUME_MOST_DECIMALS + 1] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000
    };
    unsigned long long bits, mantissa, whole;
    unsigned __int128 scaled, rounded;
    int shift;
    memcpy(&bits, &number, sizeof bits);
    mantissa = bits & ((1ULL << 52) - 1);
    shift = 1075 - (int)(bits >> 52 & 0x7FF); /* how many binary places the mantissa has */
    if (shift == 1075) {
        shift = 1074;
    }
    else {
        mantissa |= 1ULL << 52;
    }
    if (shift <= 0) {
        return NULL;
    }
    scaled = (unsigned __int128)mantissa * powers[decimals]; /* less than 2 ** 83 */
    rounded = 0;
    if (shift < 128) {
        unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
        unsigned __int128 rest = scaled & (half * 2 - 1);
        rounded = scaled >> shift;
        if (rest > half || (rest == half && (rounded & 1))) {
            rounded++;
        }
    }
    if (rounded >> 64) {
        return NULL;
    }
    whole = (unsigned long long)rounded;
    if (decimals > 0) {
        char *first = end - decimals;
        char *digits = logflume_digits(end, whole % powers[decimals]);
        while (digits > first) {
            *--digits = '0';
        }
        *--digits = '.';
        end = digits;
    }
    end = logflume_digits(end, whole / powers[decimals]);
    if (bits >> 63) {
        *--end = '-';
    }
    return end;
#else
    (void)end; (void)number; (void)decimals;
    return NULL;
#endif
}

#endif
