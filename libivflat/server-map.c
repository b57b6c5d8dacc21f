/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-map.h"

#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_BYTES (sizeof(struct ivf_progress) * IVFLAT_MAX_PEERS)
#define MOST_BYTES     ((uint64_t)1 << 28) /* a record's; with all ids taken it has a tenth of this */
#define MOST_LIST      ((uint64_t)1 << 26)

/* Far apart: what nobody writes takes no memory. */
static off_t slot_of(uint64_t generation)
{
    return (off_t)(MOST_BYTES * (1 + generation % 2));
}

static int open_memfd(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int map_progress(struct ivf_map *map)
{
    void *address = mmap(NULL, PROGRESS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);

    if (address == MAP_FAILED) {
        int error = -errno;

        ivf_map_close(map);
        return error;
    }
    map->progress = address;
    return 0;
}

int ivf_map_create(struct ivf_map *map)
{
    int error;

    *map = IVF_MAP_NONE;
    error = map->fd = open_memfd("ivshmem server");
    if (error < 0) {
        *map = IVF_MAP_NONE;
        return error;
    }
    if (ftruncate(map->fd, (off_t)PROGRESS_BYTES) < 0) {
        error = -errno;
        ivf_map_close(map);
        return error;
    }
    return map_progress(map);
}

int ivf_map_open(struct ivf_map *map, int fd)
{
    struct stat status;

    *map = (struct ivf_map){.fd = fd};
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || (uint64_t)status.st_size < PROGRESS_BYTES) {
        ivf_map_close(map);
        return -EINVAL;
    }
    ivf_map_inherit(fd, false);
    return map_progress(map);
}

void ivf_map_close(struct ivf_map *map)
{
    if (map->progress) {
        munmap(map->progress, PROGRESS_BYTES);
    }
    ivf_fd_close(map->fd);
    *map = IVF_MAP_NONE;
}

/* FNV-1a over words: against what a process that died left half written, not against anybody's wit. */
static uint64_t checksum_of(uint64_t generation, const uint8_t *bytes, uint32_t length)
{
    uint64_t sum = (0xcbf29ce484222325u ^ generation) * 0x100000001b3u;
    uint64_t word;

    for (uint32_t i = 0; i < length; i += sizeof(word)) {
        word = 0;
        memcpy(&word, bytes + i, MIN(sizeof(word), length - i));
        sum = (sum ^ word) * 0x100000001b3u;
        sum ^= sum >> 29;
    }
    return sum;
}

static int write_all(int fd, const void *bytes, size_t count, off_t offset)
{
    for (size_t done = 0; done < count;) {
        ssize_t more = pwrite(fd, (const uint8_t *)bytes + done, count - done, offset + (off_t)done);

        if (more < 0 && errno != EINTR) {
            return -errno;
        }
        done += more > 0 ? (size_t)more : 0;
    }
    return 0;
}

int ivf_map_write(struct ivf_map *map, const GByteArray *body)
{
    uint64_t generation = map->generation + 1;
    struct ivf_record_front front = {
        .magic = IVF_RECORD_MAGIC,
        .generation = generation,
        .version = IVF_RECORD_VERSION,
        .length = body->len,
        .checksum = checksum_of(generation, body->data, body->len),
    };
    int error = body->len > MOST_BYTES - sizeof(front)
                    ? -EFBIG
                    : write_all(map->fd, body->data, body->len, slot_of(generation) + (off_t)sizeof(front));

    if (error == 0) {
        error = write_all(map->fd, &front, sizeof(front), slot_of(generation));
    }
    map->generation = error ? map->generation : generation;
    return error;
}

static bool read_all(int fd, void *bytes, size_t count, off_t offset)
{
    for (size_t done = 0; done < count;) {
        ssize_t more = pread(fd, (uint8_t *)bytes + done, count - done, offset + (off_t)done);

        if (more == 0 || (more < 0 && errno != EINTR)) {
            return false;
        }
        done += more > 0 ? (size_t)more : 0;
    }
    return true;
}

/* The record in the slot that @slot's parity says; NULL: it is not whole. */
static GByteArray *read_slot(const struct ivf_map *map, uint64_t slot, uint64_t *generation)
{
    struct ivf_record_front front;
    GByteArray *body;

    if (!read_all(map->fd, &front, sizeof(front), slot_of(slot)) || front.magic != IVF_RECORD_MAGIC ||
        front.version != IVF_RECORD_VERSION || front.length > MOST_BYTES - sizeof(front)) {
        return NULL;
    }
    body = g_byte_array_set_size(g_byte_array_new(), front.length);
    if (!read_all(map->fd, body->data, front.length, slot_of(slot) + (off_t)sizeof(front)) ||
        checksum_of(front.generation, body->data, front.length) != front.checksum) {
        g_byte_array_unref(body);
        return NULL;
    }
    *generation = front.generation;
    return body;
}

GByteArray *ivf_map_read(struct ivf_map *map)
{
    uint64_t generations[2] = {0, 0};
    GByteArray *bodies[2] = {read_slot(map, 0, &generations[0]), read_slot(map, 1, &generations[1])};
    int newer = generations[1] > generations[0];

    map->generation = generations[newer];
    g_clear_pointer(&bodies[!newer], g_byte_array_unref);
    return bodies[newer];
}

/* A process that is killed has done what stands before: the compiler must keep the order, the processor does. */
static void store(uint64_t *place, uint64_t value)
{
    __atomic_store_n(place, value, __ATOMIC_SEQ_CST);
}

void ivf_map_tries(struct ivf_map *map, uint32_t id, uint64_t messages)
{
    if (map->progress) {
        store(&map->progress[id].tried, messages);
    }
}

void ivf_map_sent(struct ivf_map *map, uint32_t id, uint64_t messages)
{
    if (map->progress) {
        store(&map->progress[id].sent, messages);
        store(&map->progress[id].tried, messages);
    }
}

int ivf_map_write_list(const char *text)
{
    int fd = open_memfd("ivshmem descriptors");
    int error = fd < 0 ? fd : write_all(fd, text, strlen(text), 0);

    if (error < 0) {
        ivf_fd_close(fd);
        return error;
    }
    ivf_map_inherit(fd, true);
    return fd;
}

char *ivf_map_read_list(int fd)
{
    struct stat status;
    char *text = NULL;

    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size < MOST_LIST) {
        text = g_malloc0((size_t)status.st_size + 1);
        if (!read_all(fd, text, (size_t)status.st_size, 0)) {
            g_clear_pointer(&text, g_free);
        }
    }
    ivf_fd_close(fd);
    return text;
}

void ivf_map_inherit(int fd, bool inherit)
{
    fcntl(fd, F_SETFD, inherit ? 0 : FD_CLOEXEC);
}
