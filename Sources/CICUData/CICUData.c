// ICU's locales, 34 MB, of which Foundation reads nothing that is used here.
//
// Swift's static Foundation keeps them in an object of its archive that defines one symbol and nothing else. A program that
// defines this symbol itself is linked without that object. What stands here instead is a table of ICU's "common data" format
// (version 1 of ToCP: a header, and the number of entries) with no entries. The format is in ICU's source, udata.h and
// ucmndata.h.
//
// Sound only as long as nothing asks ICU for a locale's data: no DateFormatter, NumberFormatter, Locale, Calendar or localized
// comparison. A house test keeps them out of the sources. The number in the symbol's name is ICU's version and follows
// the toolchain; with another one the programs grow by 34 MB, which a test of the installed program notices.
#include "CICUData.h"

extern const struct cicudata_table icudt76_dat;

const struct cicudata_table icudt76_dat = {
    .header_bytes = 32,
    .magic = {0xDA, 0x27},
    .info_bytes = 20,
    .is_big_endian = 0,
    .character_set = 0,
    .character_bytes = 2,
    .format = {'T', 'o', 'C', 'P'},
    .format_version = {1, 0, 0, 0},
    .data_version = {0, 0, 0, 0},
    .count = 0,
};

_Static_assert(sizeof(struct cicudata_table) == 36, "a header of 32 bytes and a number");
