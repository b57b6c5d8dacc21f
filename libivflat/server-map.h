/* SPDX-License-Identifier: BSD-3-Clause */
/* The file in memory that outlives the process: two slots for records, of which one is always whole, and how far each
 * client is.  What answers an int answers -errno for a failure. */
#ifndef IVF_SERVER_MAP_H
#define IVF_SERVER_MAP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "server-record.h"

struct ivf_map {
    int fd;                        /* -1: there is none */
    struct ivf_progress *progress; /* 65,536, in the file */
    uint64_t generation;           /* that was written last */
};

#define IVF_MAP_NONE ((struct ivf_map){.fd = -1})

/* A new one; or one that was handed on (given, also when this fails). */
int ivf_map_create(struct ivf_map *map);
int ivf_map_open(struct ivf_map *map, int fd);
void ivf_map_close(struct ivf_map *map);

/* Writes @body into the slot that is older. */
int ivf_map_write(struct ivf_map *map, const GByteArray *body);

/* The newest whole record; NULL: there is none of our version. */
GByteArray *ivf_map_read(struct ivf_map *map);

/* Around a send: a process that dies in between leaves the two different. */
void ivf_map_tries(struct ivf_map *map, uint32_t id, uint64_t messages);
void ivf_map_sent(struct ivf_map *map, uint32_t id, uint64_t messages);

/* A list of descriptors and their names, a line each: "17 +3kf".  Makes a file of it that is handed on; reads one that
 * was (given), NULL: it is none. */
int ivf_map_write_list(const char *text);
char *ivf_map_read_list(int fd);

/* Whether @fd is to live on in a program that is started in place of this one. */
void ivf_map_inherit(int fd, bool inherit);

#endif
