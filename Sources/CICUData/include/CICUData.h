#ifndef CICUDATA_H
#define CICUDATA_H

#include <stdint.h>

/// The head of a table of ICU's data that has nothing in it; see CICUData.c.
struct cicudata_table {
  uint16_t header_bytes;
  uint8_t magic[2];
  uint16_t info_bytes;
  uint16_t reserved;
  uint8_t is_big_endian;
  uint8_t character_set;
  uint8_t character_bytes;
  uint8_t reserved_too;
  uint8_t format[4];
  uint8_t format_version[4];
  uint8_t data_version[4];
  uint32_t padding[2];
  uint32_t count;
};

#endif
