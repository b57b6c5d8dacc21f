/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-io.h"

#include "fdio.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_TRIES   200 /* 10 ms apart */
#define MESSAGE_ROOM 768 /* what the kernel counts for a message in a socket's buffer (measured; more is fine) */

#if !defined(SO_PASSRIGHTS) && SO_PEERGROUPS == 59 /* an option of Linux 6.16, where options have the usual numbers */
#define SO_PASSRIGHTS 83
#endif

static int or_errno(int result)
{
    return result < 0 ? -errno : result;
}

/* The socket ------------------------------------------------------------------------------------------------------ */

/* The folder is locked while we look whether a socket file is stale and put ours in its place.  Whoever may read the
 * folder could hold that lock, so we do not wait for ever; where it cannot be had at all, we go on without.  -1: none. */
static int lock_folder(const char *path)
{
    char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    int result = -1;

    g_free(folder);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES && (result = or_errno(flock(fd, LOCK_EX | LOCK_NB))) == -EWOULDBLOCK;
         i++) {
        poll(NULL, 0, 10);
    }
    if (result == -EWOULDBLOCK) {
        ivf_fd_close(fd);
        return -EDEADLK;
    }
    return fd >= 0 ? fd : -1;
}

static socklen_t address_of(struct sockaddr_un *address, const char *path)
{
    size_t length = strlen(path);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

/* What the umask took away.  Of the socket itself: who may write the folder may have put a link in its place. */
static int set_mode(const char *path, uint32_t mode)
{
    struct stat status;

    if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode)) {
        return -ESTALE;
    }
    return (status.st_mode & 0777) == mode ? 0 : or_errno(fchmodat(AT_FDCWD, path, mode, 0));
}

/* Nobody can connect before it listens, so the permissions are right from the first moment on. */
static int bind_as(int fd, const char *path, uint32_t mode, uint32_t group)
{
    struct sockaddr_un address;
    socklen_t length = address_of(&address, path);
    int result = or_errno(fchmod(fd, mode)); /* the file's, as far as the umask lets it */

    result = result < 0 ? result : or_errno(bind(fd, (struct sockaddr *)&address, length));
    if (result < 0) {
        return result;
    }
    result = group ? or_errno(lchown(path, (uid_t)-1, group)) : 0;
    if (result == 0) {
        result = set_mode(path, mode);
    }
    if (result == 0) {
        result = or_errno(listen(fd, SOMAXCONN));
    }
    if (result < 0) {
        unlink(path);
    }
    return result;
}

/* Who connects cannot send descriptors: closing the last of a file may take as long as its owner likes.  Where the kernel
 * does not know the option, they are closed as they come. */
static void refuse_descriptors(int listener)
{
#ifdef SO_PASSRIGHTS
    const int no = 0;

    setsockopt(listener, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
#else
    (void)listener;
#endif
}

static int listen_at(const char *path, uint32_t mode, uint32_t group)
{
    int result = ivf_fd_remove_stale(path);
    int fd = result < 0 ? result : or_errno(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

    if (fd < 0) {
        return fd;
    }
    refuse_descriptors(fd);
    result = bind_as(fd, path, mode, group);
    if (result < 0) {
        ivf_fd_close(fd);
        return result;
    }
    return fd;
}

int ivf_io_listen(const char *path, uint32_t mode, uint32_t group)
{
    int lock = lock_folder(path);
    int fd = lock == -EDEADLK ? lock : listen_at(path, mode, group);

    ivf_fd_close(lock);
    return fd;
}

static int int_option(int fd, int name)
{
    int value = 0;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -errno : value;
}

int ivf_io_check_listener(int fd)
{
    int result = int_option(fd, SO_DOMAIN);
    int flags;

    if (result < 0) {
        return result;
    }
    if (result != AF_UNIX || int_option(fd, SO_TYPE) != SOCK_STREAM || int_option(fd, SO_ACCEPTCONN) != 1) {
        return -EPROTOTYPE;
    }
    refuse_descriptors(fd);
    flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : or_errno(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int ivf_io_pair(int ends[2])
{
    return or_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends));
}

void ivf_io_identify(int sock, struct ivf_identity *identity)
{
    struct ucred credentials;
    socklen_t length = sizeof(credentials);

    *identity = (struct ivf_identity){.uid = UINT32_MAX, .gid = UINT32_MAX};
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0) {
        *identity = (struct ivf_identity){.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid};
    }
}

/* Messages -------------------------------------------------------------------------------------------------------- */

/* One message, for the kernel. */
struct parcel {
    struct iovec piece;
    uint8_t bytes[IVF_WIRE_SIZE];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control; /* last: its own last field has no size */
};

static void pack(struct parcel *parcel, struct msghdr *header, const struct ivf_message *message)
{
    ivf_wire_encode(parcel->bytes, message->number);
    parcel->piece = (struct iovec){parcel->bytes, IVF_WIRE_SIZE};
    *header = (struct msghdr){.msg_iov = &parcel->piece, .msg_iovlen = 1};
    if (message->fd >= 0) {
        memset(&parcel->control, 0, sizeof(parcel->control)); /* what is between its parts goes to the kernel too */
        header->msg_control = &parcel->control;
        header->msg_controllen = sizeof(parcel->control);
        parcel->control.align =
            (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(&parcel->control.align), &message->fd, sizeof(int));
    }
}

int ivf_io_send(int sock, const struct ivf_message *messages, uint32_t count)
{
    struct parcel parcels[IVF_IO_MOST];
    struct mmsghdr headers[IVF_IO_MOST];
    int sent;

    count = MIN(count, IVF_IO_MOST);
    for (uint32_t i = 0; i < count; i++) {
        pack(&parcels[i], &headers[i].msg_hdr, &messages[i]);
    }
    do {
        sent = or_errno(sendmmsg(sock, headers, count, MSG_DONTWAIT | MSG_NOSIGNAL));
    } while (sent == -EINTR);
    for (int i = 0; i < sent; i++) {
        if (headers[i].msg_len != IVF_WIRE_SIZE) {
            return -EPROTO; /* the rest would be a send of its own (P2); the kernel takes 8 bytes whole */
        }
    }
    return sent;
}

void ivf_io_end(int sock)
{
    if (sock >= 0) {
        shutdown(sock, SHUT_WR);
    }
    ivf_fd_close_stream(sock);
}

void ivf_io_set_room(int sock, uint32_t messages)
{
    int bytes = (int)(messages * MESSAGE_ROOM / 2); /* the kernel takes it twice */

    setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

uint32_t ivf_io_unread(int sock)
{
    int bytes = 0;

    return ioctl(sock, SIOCOUTQ, &bytes) < 0 ? 0 : (uint32_t)bytes / MESSAGE_ROOM;
}

uint64_t ivf_io_descriptors(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 1024 : limit.rlim_cur;
}
