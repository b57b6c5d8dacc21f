/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-options.h"

#include "numbers.h"

#include <getopt.h>
#include <inttypes.h>
#include <libivflat/ivflat.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/vfs.h>

#define EXIT_USAGE 2
#define GO_ON      (-1)
#define MOST_SIZE  ((uint64_t)1 << 62)

/* Those without a letter, for QEMU's server has none. */
enum { VERSION = 256, MAX_CLIENTS, MAX_PER_UID, MAX_QUEUE, MAX_QUEUE_MEMORY };

/* getopt, not GOption: scripts written for QEMU's server say -n2 and -l4M. */
static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"verbose", no_argument, NULL, 'v'},
    {"foreground", no_argument, NULL, 'F'},
    {"pid-file", required_argument, NULL, 'p'},
    {"socket", required_argument, NULL, 'S'},
    {"shm-name", required_argument, NULL, 'M'},
    {"shm-dir", required_argument, NULL, 'm'},
    {"size", required_argument, NULL, 'l'},
    {"vectors", required_argument, NULL, 'n'},
    {"max-clients", required_argument, NULL, MAX_CLIENTS},
    {"max-per-uid", required_argument, NULL, MAX_PER_UID},
    {"max-queue", required_argument, NULL, MAX_QUEUE},
    {"max-queue-memory", required_argument, NULL, MAX_QUEUE_MEMORY},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};
static const char letters[] = "+:hvFp:S:M:m:l:n:";

static const char help[] =
    "usage: ivflat-server [OPTION]...\n"
    "Brings ivshmem devices together: hands out ids, the shared memory and doorbells.\n"
    "\n"
    "  -h, --help             show this, and exit\n"
    "  -v, --verbose          say who joins and who leaves (needs --foreground)\n"
    "  -F, --foreground       stay in the foreground (default: go into the background when ready)\n"
    "  -p, --pid-file=FILE    file for the process id when in the background\n"
    "                         (default: /var/run/ivshmem-server.pid)\n"
    "  -S, --socket=PATH      UNIX socket to listen on (default: /tmp/ivshmem_socket)\n"
    "  -M, --shm-name=NAME    share a POSIX shared memory object of this name\n"
    "  -m, --shm-dir=DIR      share a nameless file in this folder, hugetlbfs included\n"
    "                         (default: neither, but memory that nobody can resize)\n"
    "  -l, --size=SIZE        bytes of shared memory, with K, M, G or T; rounded up to a power of two (default: 4M)\n"
    "  -n, --vectors=NUMBER   vectors of each client, 0 to 65536 (default: 1)\n"
    "      --max-clients=NUMBER\n"
    "                         clients at the same time (default: as many as descriptors allow)\n"
    "      --max-per-uid=NUMBER\n"
    "                         clients of one user at the same time (default: no bound)\n"
    "      --max-queue=NUMBER messages that may wait for a client that does not read\n"
    "                         (default: half the descriptors that we may have)\n"
    "      --max-queue-memory=SIZE\n"
    "                         memory that these may take (default: 16M)\n"
    "      --version          show the version, and exit\n";

G_GNUC_PRINTF(1, 2) static int usage_error(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_printerr("ivflat-server: %s\n", text);
    g_free(text);
    return EXIT_USAGE;
}

static int take_size(struct server_options *options, const char *text)
{
    uint64_t any;

    if (size_parse(text, MOST_SIZE, &options->size) && options->size > 0) {
        return GO_ON;
    }
    if (size_parse(text, UINT64_MAX, &any) && any > 0) {
        return usage_error("--size=%s is too large: at most %" PRIu64 " bytes is right", text, MOST_SIZE);
    }
    return usage_error("--size=%s is no size: give bytes from 1 up, as in 65536, 64K, 4M or 1G", text);
}

static int take_vectors(struct server_options *options, const char *text)
{
    uint64_t vectors;

    if (!number_parse(text, IVFLAT_MAX_VECTORS, &vectors)) {
        return usage_error("--vectors=%s is no number of vectors: give one from 0 to %u", text, IVFLAT_MAX_VECTORS);
    }
    options->vectors = (uint32_t)vectors;
    return GO_ON;
}

/* A bound: 0 would be none of those that the library knows. */
static int take_bound(uint32_t *bound, const char *option, uint32_t most, const char *text)
{
    uint64_t value;

    if (!number_parse(text, most, &value) || value == 0) {
        return usage_error("%s=%s is no bound: give a number from 1 to %u", option, text, most);
    }
    *bound = (uint32_t)value;
    return GO_ON;
}

static int take_queue_memory(struct server_options *options, const char *text)
{
    if (size_parse(text, MOST_SIZE, &options->max_queue_bytes) && options->max_queue_bytes > 0) {
        return GO_ON;
    }
    return usage_error("--max-queue-memory=%s is no size: give bytes from 1 up, as in 65536, 64K or 4M", text);
}

static int show_version(void)
{
    uint32_t version = ivflat_version();

    printf("ivflat-server %u.%u.%u\n", version >> 16, version >> 8 & 255, version & 255);
    return 0;
}

/* One of those that QEMU's server does not have. */
static int take_own(struct server_options *options, int letter, const char *given)
{
    switch (letter) {
    case VERSION:
        return show_version();
    case MAX_CLIENTS:
        return take_bound(&options->max_clients, "--max-clients", IVFLAT_MAX_PEERS, optarg);
    case MAX_PER_UID:
        return take_bound(&options->max_per_uid, "--max-per-uid", IVFLAT_MAX_PEERS, optarg);
    case MAX_QUEUE:
        return take_bound(&options->max_queue, "--max-queue", INT32_MAX, optarg);
    case MAX_QUEUE_MEMORY:
        return take_queue_memory(options, optarg);
    case ':':
        return usage_error("%s needs a value: --help shows which", given);
    default:
        return usage_error("%s is no option of this program: --help shows those that are", given);
    }
}

/* One option.  @given: the argument in which it stood, for the sentences. */
static int take(struct server_options *options, int letter, const char *given)
{
    switch (letter) {
    case 'h':
        fputs(help, stdout);
        return 0;
    case 'v':
        options->verbose = TRUE;
        return GO_ON;
    case 'F':
        options->foreground = TRUE;
        return GO_ON;
    case 'p':
        options->pid_file = optarg;
        return GO_ON;
    case 'S':
        options->socket = optarg;
        return GO_ON;
    case 'M':
        options->shm_name = optarg;
        options->shm_dir = NULL; /* the last one of both counts */
        return GO_ON;
    case 'm':
        options->shm_dir = optarg;
        options->shm_name = NULL;
        return GO_ON;
    case 'l':
        return take_size(options, optarg);
    case 'n':
        return take_vectors(options, optarg);
    default:
        return take_own(options, letter, given);
    }
}

/* What fits no single option. */
static int check_together(const struct server_options *options, int argc, char **argv)
{
    if (optind < argc) {
        return usage_error("%s stands alone: --help shows the options", argv[optind]);
    }
    if (options->verbose && !options->foreground) {
        return usage_error("--verbose needs --foreground: in the background nobody would read it");
    }
    return GO_ON;
}

/* hugetlbfs gives whole huge pages only. */
static uint64_t least_size(const char *dir)
{
    struct statfs status;

    if (dir && statfs(dir, &status) == 0 && status.f_type == HUGETLBFS_MAGIC) {
        return (uint64_t)status.f_bsize;
    }
    return 1;
}

/* QEMU's PCI device takes powers of two only. */
static void round_size(struct server_options *options)
{
    uint64_t size = least_size(options->shm_dir);

    while (size < options->size) {
        size <<= 1;
    }
    if (size != options->size) {
        g_printerr("ivflat-server: the size of %" PRIu64 " bytes is rounded up to %" PRIu64 "\n", options->size, size);
    }
    options->size = size;
}

int server_options_parse(struct server_options *options, int argc, char **argv)
{
    int status = GO_ON;

    *options = (struct server_options){
        .pid_file = "/var/run/ivshmem-server.pid",
        .socket = "/tmp/ivshmem_socket",
        .size = (uint64_t)4 << 20,
        .vectors = 1,
    };
    while (status == GO_ON) {
        int at = optind; /* of the argument that getopt looks at next */
        int letter = getopt_long(argc, argv, letters, long_options, NULL);

        if (letter < 0) {
            break;
        }
        status = take(options, letter, argv[MIN(at, argc - 1)]);
    }
    if (status == GO_ON) {
        status = check_together(options, argc, argv);
    }
    if (status == GO_ON) {
        round_size(options);
    }
    return status;
}
