// The device profiles that are part of the program, byte for byte as they stand in Sources/Field/Devices/Profiles.
//
// The compiler puts them in as they are. As Swift array literals they cost 40 CPU seconds of every release build.
#ifndef CPROFILES_H
#define CPROFILES_H

#ifdef __cplusplus
extern "C" {
#endif

/// How many there are.
unsigned long cprofiles_count(void);
/// `eastron_sdm630.toml`; `index` below the count.
const char *cprofiles_name(unsigned long index);
/// The text of one, and its length in `*length`.
const unsigned char *cprofiles_text(unsigned long index, unsigned long *length);

#ifdef __cplusplus
}
#endif

#endif
