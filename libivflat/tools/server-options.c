/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-options.h"

#include "sandbox.h"
#include "server-values.h"
#include "service.h"

#include <getopt.h>
#include <inttypes.h>
#include <libivflat/ivflat-server.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Those without a letter, for QEMU's server has none. */
enum {
    VERSION = 256,
    MAX_CLIENTS,
    MAX_PER_UID,
    MAX_QUEUE,
    MAX_QUEUE_MEMORY,
    MEMORY_FILE,
    HUGETLB,
    EXACT_SIZE,
    MODE,
    GROUP,
    ALLOW_UID,
    ALLOW_GID,
    IDS,
    PEER,
    HOST_PEER,
    JSON,
    KEEP_STATE,
    SECCOMP,
};

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
    {"file", required_argument, NULL, MEMORY_FILE},
    {"hugetlb", required_argument, NULL, HUGETLB},
    {"exact-size", no_argument, NULL, EXACT_SIZE},
    {"mode", required_argument, NULL, MODE},
    {"group", required_argument, NULL, GROUP},
    {"allow-uid", required_argument, NULL, ALLOW_UID},
    {"allow-gid", required_argument, NULL, ALLOW_GID},
    {"ids", required_argument, NULL, IDS},
    {"peer", required_argument, NULL, PEER},
    {"host-peer", required_argument, NULL, HOST_PEER},
    {"json", no_argument, NULL, JSON},
    {"keep-state", no_argument, NULL, KEEP_STATE},
    {"seccomp", no_argument, NULL, SECCOMP},
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
    "      --file=PATH        share this file; it stays\n"
    "      --hugetlb=SIZE     memory that nobody can resize, of pages of 2M or 1G\n"
    "      --exact-size       refuse a size that is no multiple of the page, instead of rounding up\n"
    "      --mode=MODE        permissions of the sockets: who may write may join (default: 600)\n"
    "      --group=GROUP      group of the sockets\n"
    "      --allow-uid=USER   let this user join, and nobody who is not named so; may be repeated\n"
    "      --allow-gid=GROUP  likewise\n"
    "      --ids=once|lowest  which id a newcomer gets: one that was not given yet (default), or the lowest\n"
    "      --peer=ID=SOCKET[,keep]\n"
    "                         give this id at a socket of its own; keep: who comes back is handed the same\n"
    "                         eventfds, and the others hear of nothing; may be repeated\n"
    "      --host-peer=ID     be a peer of this id: say when it is rung, ring by a line on standard input\n"
    "      --max-clients=NUMBER\n"
    "                         clients at the same time (default: as many as descriptors allow)\n"
    "      --max-per-uid=NUMBER\n"
    "                         clients of one user at the same time (default: no bound)\n"
    "      --max-queue=NUMBER messages that may wait for a client that does not read\n"
    "                         (default: half the descriptors that we may have)\n"
    "      --max-queue-memory=SIZE\n"
    "                         memory that these may take (default: 16M)\n"
    "      --json             say all in lines of JSON (needs --foreground)\n"
    "      --keep-state       have the manager of services keep all that outlives a crash\n"
    "      --seccomp          refuse oneself all system calls that a server does not need\n"
    "      --version          show the version, and exit\n";

static int show_version(void)
{
    uint32_t version = ivflat_version();

    printf("ivflat-server %u.%u.%u\n", version >> 16, version >> 8 & 255, version & 255);
    return 0;
}

static int unknown(int letter, const char *given)
{
    return letter == ':' ? usage_error("%s needs a value: --help shows which", given)
                         : usage_error("%s is no option of this program: --help shows those that are", given);
}

/* One of those that QEMU's server does not have: what is shared. */
static int take_memory(struct server_options *options, int letter, const char *given)
{
    switch (letter) {
    case VERSION:
        return show_version();
    case JSON:
        options->json = TRUE;
        return GO_ON;
    case KEEP_STATE:
        options->keep_state = TRUE;
        return GO_ON;
    case SECCOMP:
        options->seccomp = TRUE;
        return GO_ON;
    case MEMORY_FILE:
        options->file = optarg;
        return GO_ON;
    case HUGETLB:
        return take_huge_page(options, optarg);
    case EXACT_SIZE:
        options->exact_size = TRUE;
        return GO_ON;
    default:
        return unknown(letter, given);
    }
}

/* Who may join, and as whom. */
static int take_who(struct server_options *options, int letter, const char *given)
{
    switch (letter) {
    case MODE:
        return take_mode(options, optarg);
    case GROUP:
        return take_group(&options->group, "--group", optarg);
    case ALLOW_UID:
        return take_allowed_user(options, optarg);
    case ALLOW_GID:
        return take_allowed_group(options, optarg);
    case IDS:
        return take_ids(options, optarg);
    case PEER:
        return take_peer(options, optarg);
    case HOST_PEER:
        return take_host_peer(options, optarg);
    default:
        return take_memory(options, letter, given);
    }
}

/* Bounds. */
static int take_own(struct server_options *options, int letter, const char *given)
{
    switch (letter) {
    case MAX_CLIENTS:
        return take_bound(&options->max_clients, "--max-clients", IVFLAT_MAX_PEERS, optarg);
    case MAX_PER_UID:
        return take_bound(&options->max_per_uid, "--max-per-uid", IVFLAT_MAX_PEERS, optarg);
    case MAX_QUEUE:
        return take_bound(&options->max_queue, "--max-queue", INT32_MAX, optarg);
    case MAX_QUEUE_MEMORY:
        return take_bytes(&options->max_queue_bytes, "--max-queue-memory", optarg);
    default:
        return take_who(options, letter, given);
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

/* Those that QEMU's server does not have contradict all others; of its own two the last one counts. */
static gboolean is_one_memory(const struct server_options *options)
{
    return (options->shm_name || options->shm_dir) + !!options->file + !!options->huge_page <= 1;
}

/* Two peers of one id, or one socket: the second would never be what its option says. */
static int check_two_peers(const struct server_peer *one, const struct server_peer *other)
{
    if (one->id == other->id) {
        return usage_error("--peer takes id %u twice: give each its own", one->id);
    }
    if (g_str_equal(one->socket, other->socket)) {
        return usage_error("--peer=%u and --peer=%u are both at %s: give each its own socket", other->id, one->id,
                           one->socket);
    }
    return GO_ON;
}

static int check_peers(const struct server_options *options)
{
    int status = GO_ON;

    for (guint i = 0; i < options->peers->len && status == GO_ON; i++) {
        const struct server_peer *peer = &g_array_index(options->peers, struct server_peer, i);

        if (options->host_peer == (int32_t)peer->id) {
            return usage_error("--peer and --host-peer both take id %u: give each its own", peer->id);
        }
        if (g_str_equal(peer->socket, options->socket)) {
            return usage_error("--peer=%u=%s is the socket of all others: give it its own", peer->id, peer->socket);
        }
        for (guint j = 0; j < i && status == GO_ON; j++) {
            status = check_two_peers(peer, &g_array_index(options->peers, struct server_peer, j));
        }
    }
    return status;
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
    if (options->json && !options->foreground) {
        return usage_error("--json needs --foreground: in the background nobody would read it");
    }
    if (options->seccomp && !sandbox_is_there()) {
        return usage_error("--seccomp needs a program that was built with libseccomp");
    }
    if (options->keep_state && !service_is_there()) {
        return usage_error("--keep-state needs a manager of services that keeps descriptors (NOTIFY_SOCKET), and a "
                           "program that was built with libsystemd");
    }
    if (options->host_peer >= 0 && !options->foreground) {
        return usage_error("--host-peer needs --foreground: in the background nobody would read it");
    }
    if (!is_one_memory(options)) {
        return usage_error("-M, -m, --file and --hugetlb are different memories: give one of them");
    }
    return check_peers(options);
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

static uint64_t page_of(const struct server_options *options)
{
    uint64_t page = MAX(least_size(options->shm_dir), options->huge_page);

    return options->exact_size ? MAX(page, (uint64_t)sysconf(_SC_PAGESIZE)) : page;
}

/* QEMU's PCI device takes powers of two only. */
static int fit_size(struct server_options *options)
{
    uint64_t page = page_of(options);
    uint64_t size = page;

    if (options->exact_size) {
        return options->size % page == 0 ? GO_ON
                                         : usage_error("--size is %" PRIu64 " bytes, no multiple of the page, %" PRIu64
                                                       ", which --exact-size asks for",
                                                       options->size, page);
    }
    while (size < options->size) {
        size <<= 1;
    }
    if (size != options->size) {
        g_printerr("ivflat-server: the size of %" PRIu64 " bytes is rounded up to %" PRIu64 "\n", options->size, size);
    }
    options->size = size;
    return GO_ON;
}

static void clear_peer(void *peer)
{
    g_free(((struct server_peer *)peer)->socket);
}

static void set_defaults(struct server_options *options)
{
    *options = (struct server_options){
        .pid_file = "/var/run/ivshmem-server.pid",
        .socket = "/tmp/ivshmem_socket",
        .size = (uint64_t)4 << 20,
        .vectors = 1,
        .allow_uids = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .allow_gids = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .peers = g_array_new(FALSE, FALSE, sizeof(struct server_peer)),
        .host_peer = -1,
    };
    g_array_set_clear_func(options->peers, clear_peer);
}

void server_options_clear(struct server_options *options)
{
    g_array_unref(options->allow_uids);
    g_array_unref(options->allow_gids);
    g_array_unref(options->peers);
}

int server_options_parse(struct server_options *options, int argc, char **argv)
{
    int status = GO_ON;

    set_defaults(options);
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
    return status == GO_ON ? fit_size(options) : status;
}
