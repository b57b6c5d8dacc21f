/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's state as it is written down for the next process: fixed-width numbers, one after the other, in this
 * order.  Descriptors are named by keys, numbers that are never given twice; who hands them on says which is which. */
#ifndef IVF_SERVER_RECORD_H
#define IVF_SERVER_RECORD_H

#include <libivflat/ivflat-server.h>
#include <stdint.h>

#define IVF_RECORD_MAGIC   0x7472617473766669u /* "ivfstart" */
#define IVF_RECORD_VERSION 1u
#define IVF_KEY_MEMORY     1u /* the first that is free is behind it */

/* In front of all: what is not whole, or of another version, is not used. */
struct ivf_record_front {
    uint64_t magic;
    uint64_t generation; /* goes up with each that is written */
    uint32_t version;
    uint32_t length;   /* of what is behind this */
    uint64_t checksum; /* of that, the generation taken in */
};

struct ivf_record_head {
    uint64_t memory_size;
    uint64_t serial;
    uint64_t next_key;
    uint64_t counters[IVFLAT_SERVER_COUNT_RESTARTS + 1];
    uint32_t vectors;
    uint32_t next_id;
    uint32_t doors;
    uint32_t people; /* announcements */
    uint32_t items;
    uint32_t clients;
};

struct ivf_record_door {
    uint64_t key; /* 0: it has no socket */
    uint64_t item;
    uint64_t device, inode; /* of the socket's file */
    int32_t id;
    uint32_t keep;
    char path[112]; /* "": its file is not ours */
};

struct ivf_record_person {
    uint64_t key; /* of the first eventfd; the others follow */
    uint32_t id;
    uint32_t count;
};

struct ivf_record_item {
    uint64_t serial;
    uint64_t left;
    uint64_t person; /* 0: a leave */
    uint32_t kind;
    uint32_t id;
};

struct ivf_record_client {
    uint64_t key;
    uint64_t person;
    uint64_t item; /* by which the others know it */
    uint64_t birth;
    uint64_t next; /* item that is told next; 0: none */
    uint64_t greeting;
    uint64_t sent;
    uint64_t received;
    int64_t since;
    uint32_t id;
    uint32_t door;
    uint32_t told;
    uint32_t greeted;
    uint32_t uid;
    uint32_t gid;
    int32_t pid;
    uint32_t reserved;
};

/* How far each client is, by id, beside the record: it changes with each message.  Where the two differ, the last
 * process died while it sent, and nobody can tell whether that went out. */
struct ivf_progress {
    uint64_t tried; /* messages, with those that are just being sent */
    uint64_t sent;
};

#endif
