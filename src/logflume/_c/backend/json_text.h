/* What of a string is in JSON as it is, and times as datetime gives them. */
#ifndef LOGFLUME_JSON_TEXT_H
#define LOGFLUME_JSON_TEXT_H

#include <stddef.h>
#include <string.h>

#define LOGFLUME_EACH(byte) (~0ULL / 255 * (byte))
/* The high bit of each byte that is zero, and perhaps of one after such a byte. */
#define LOGFLUME_ZEROS(word) (((word) - LOGFLUME_EACH(1)) & ~(word) & LOGFLUME_EACH(0x80))

static inline int
logflume_is_plain(unsigned char byte, int ascii)
{
    return byte >= 0x20 && byte != '"' && byte != '\\' && (byte < 0x7F || !ascii);
}

/* Returns how many bytes of a text in UTF-8, from the first, are in a JSON string as they are; `ascii`: in one that
   has only ASCII. */
static inline size_t
logflume_plain(const char *text, size_t size, int ascii)
{
    size_t index = 0;
    for (; index + 8 <= size; index += 8) {
        unsigned long long word, special;
        memcpy(&word, text + index, 8);
        special = ((word - LOGFLUME_EACH(0x20)) & ~word & LOGFLUME_EACH(0x80))
            | LOGFLUME_ZEROS(word ^ LOGFLUME_EACH('"')) | LOGFLUME_ZEROS(word ^ LOGFLUME_EACH('\\'));
        if (ascii) {
            special |= (word & LOGFLUME_EACH(0x80)) | LOGFLUME_ZEROS(word ^ LOGFLUME_EACH(0x7F));
        }
        if (special) {
            break;
        }
    }
    while (index < size && logflume_is_plain((unsigned char)text[index], ascii)) {
        index++;
    }
    return index;
}

/* Writes a UTF-16 code unit as \uXXXX. */
static inline char *
logflume_put_unit(char *out, unsigned int unit)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'u';
    out[2] = digits[unit >> 12 & 15];
    out[3] = digits[unit >> 8 & 15];
    out[4] = digits[unit >> 4 & 15];
    out[5] = digits[unit & 15];
    return out + 6;
}

/* Writes a character of ASCII as a JSON string has it; returns where it ends, at most 6 bytes on. */
static inline char *
logflume_put_ascii(char *out, unsigned int character, int ascii)
{
    static const char letters[] = "btn.fr"; /* 8 to 13 */
    if (logflume_is_plain((unsigned char)character, ascii)) {
        *out++ = (char)character;
        return out;
    }
    if (character == '"' || character == '\\') {
        *out++ = '\\';
        *out++ = (char)character;
        return out;
    }
    if (character >= 8 && character <= 13 && character != 11) {
        *out++ = '\\';
        *out++ = letters[character - 8];
        return out;
    }
    return logflume_put_unit(out, character);
}

/* Writes a character that is not ASCII as escapes; at most 12 bytes. */
static inline char *
logflume_put_wide(char *out, unsigned int character)
{
    if (character >= 0x10000) {
        character -= 0x10000;
        out = logflume_put_unit(out, 0xD800 | character >> 10);
        character = 0xDC00 | (character & 0x3FF);
    }
    return logflume_put_unit(out, character);
}

/* Writes seconds since 1970 as datetime.isoformat() gives them in UTC, in LOGFLUME_SECOND bytes. The year has to have
   four digits. */
#define LOGFLUME_SECOND 19

static inline void
logflume_put_second(char *out, long long seconds)
{
    long long days = seconds / 86400, rest = seconds % 86400;
    long long era, day_of_era, year_of_era, day_of_year, month, year;
    unsigned int parts[6];
    int index;
    days += 719468; /* from 1 March 0000 on, so that the leap day ends a year */
    era = days / 146097;
    day_of_era = days % 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    parts[2] = (unsigned int)(day_of_year - (153 * month + 2) / 5 + 1);
    parts[1] = (unsigned int)(month < 10 ? month + 3 : month - 9);
    year = era * 400 + year_of_era + (parts[1] <= 2);
    parts[3] = (unsigned int)(rest / 3600);
    parts[4] = (unsigned int)(rest / 60 % 60);
    parts[5] = (unsigned int)(rest % 60);
    *out++ = (char)('0' + year / 1000);
    *out++ = (char)('0' + year / 100 % 10);
    *out++ = (char)('0' + year / 10 % 10);
    *out++ = (char)('0' + year % 10);
    for (index = 1; index < 6; index++) {
        *out++ = "--T::"[index - 1];
        *out++ = (char)('0' + parts[index] / 10);
        *out++ = (char)('0' + parts[index] % 10);
    }
}

/* Writes "." and so many digits of a number; returns where they end. */
static inline char *
logflume_put_fraction(char *out, int number, int digits)
{
    int index;
    *out++ = '.';
    for (index = digits - 1; index >= 0; index--) {
        out[index] = (char)('0' + number % 10);
        number /= 10;
    }
    return out + digits;
}

#endif
