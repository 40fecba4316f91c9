/* Floats as repr() gives them: with the fewest digits that are no other float's, and as near as these can be. */
#ifndef LOGFLUME_FLOAT_REPR_H
#define LOGFLUME_FLOAT_REPR_H

#include <float.h>
#include <stddef.h>
#include <string.h>

#include "digits.h"

/* The quick one, for floats of at most 15 digits, of which 9 are decimals, from 1e-4 to 1e15, and for 0.

   If m / 10 ** k, rounded once, is the number, and m has at most 15 digits, then the digits of m are the number's
   shortest: no two decimals of at most 15 digits are the same double. */
static inline char *
logflume_short_repr(char *end, double number)
{
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD == 0
    static const double powers[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    double size = number < 0 ? -number : number;
    unsigned long long bits, scaled;
    int decimals;
    memcpy(&bits, &number, sizeof bits);
    if (!(size < 1e15) || (size < 1e-4 && size != 0)) {
        return NULL;
    }
    scaled = (unsigned long long)size;
    if ((double)scaled == size) {
        *--end = '0';
        *--end = '.';
        end = logflume_digits(end, scaled);
    }
    else {
        char *first, *digits;
        for (decimals = 1; ; decimals++) {
            double product;
            if (decimals > 9) {
                return NULL;
            }
            product = size * powers[decimals - 1];
            if (product >= 1e15) {
                return NULL;
            }
            scaled = (unsigned long long)(product + 0.5);
            if ((double)scaled / powers[decimals - 1] == size) {
                break;
            }
        }
        first = end - decimals;
        digits = logflume_digits(end, scaled % (unsigned long long)powers[decimals - 1]);
        while (digits > first) {
            *--digits = '0';
        }
        *--digits = '.';
        end = logflume_digits(digits, scaled / (unsigned long long)powers[decimals - 1]);
    }
    if (bits >> 63) {
        *--end = '-';
    }
    return end;
#else
    (void)end; (void)number;
    return NULL;
#endif
}

/* Writes a number of that many digits after the point as repr() does; returns where it begins. */
static inline char *
logflume_place_point(char *end, unsigned long long digits, int decimals)
{
    char text[24];
    char *last = text + sizeof text, *first;
    int count, exponent;
    if (decimals == 0) {
        digits *= 10;
        decimals = 1;
    }
    while (decimals > 1 && digits % 10 == 0) {
        digits /= 10;
        decimals--;
    }
    first = logflume_digits(last, digits);
    count = (int)(last - first);
    exponent = count - 1 - decimals;
    if (exponent < -4) {
        while (count > 1 && last[-1] == '0') {
            last--;
            count--;
        }
        *--end = (char)('0' - exponent);
        memcpy(end -= 3, "e-0", 3);
        memcpy(end -= count - 1, first + 1, (size_t)count - 1);
        if (count > 1) {
            *--end = '.';
        }
        *--end = *first;
        return end;
    }
    for (; count < decimals; count++) {
        *--first = '0';
    }
    memcpy(end -= decimals, last - decimals, (size_t)decimals);
    *--end = '.';
    if (count == decimals) {
        *--end = '0';
    }
    count -= decimals;
    return memcpy(end - count, first, (size_t)count);
}

/* The exact one, for floats from 1e-6 to 1e15 that are no power of two: their neighbours are equally far.

   All numbers here are multiples of 2 ** -shift / 10 ** decimals: the float is mantissa * 10 ** decimals of them, and
   a number with `decimals` decimals is a multiple of 2 ** shift. Less than half of 10 ** decimals, which lies between
   the float and the next, is nearer to the float than to any other; the half itself goes to the even mantissa. */
static inline char *
logflume_exact_repr(char *end, double number)
{
#ifdef __SIZEOF_INT128__
    unsigned long long bits, mantissa, whole = 10;
    unsigned __int128 power = 1, value, half;
    int shift, decimals = 15, digits;
    double size = number < 0 ? -number : number;
    memcpy(&bits, &number, sizeof bits);
    mantissa = bits & ((1ULL << 52) - 1);
    if (!(size >= 1e-6 && size < 1e15) || mantissa == 0) {
        return NULL;
    }
    mantissa |= 1ULL << 52;
    shift = 1075 - (int)(bits >> 52 & 0x7FF);
    /* so many decimals that there are 15 digits */
    if (size >= 1) {
        for (decimals = 14; size >= (double)whole; whole *= 10) {
            decimals--;
        }
    }
    else {
        for (size *= 10; size < 1; size *= 10) {
            decimals++;
        }
    }
    for (digits = 0; digits < decimals; digits++) {
        power *= 10;
    }
    for (digits = 15; digits <= 17; digits++, decimals++, power *= 10) {
        unsigned __int128 rounded, rest, error;
        value = mantissa * power;
        half = (unsigned __int128)1 << (shift - 1);
        rounded = value >> shift;
        rest = value & (2 * half - 1);
        if (rest > half || (rest == half && (rounded & 1))) {
            rounded++;
            error = 2 * half - rest;
        }
        else {
            error = rest;
        }
        if (error * 2 < power || (error * 2 == power && mantissa % 2 == 0)) {
            end = logflume_place_point(end, (unsigned long long)rounded, decimals);
            if (bits >> 63) {
                *--end = '-';
            }
            return end;
        }
    }
#endif
    (void)end; (void)number;
    return NULL;
}

/* Returns where it begins, or NULL for a float that is left to repr(). At most 25 characters. */
static inline char *
logflume_float_repr(char *end, double number)
{
    char *begin = logflume_short_repr(end, number);
    return begin == NULL ? logflume_exact_repr(end, number) : begin;
}

#endif
