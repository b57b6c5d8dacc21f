/* SPDX-License-Identifier: BSD-3-Clause */
#include "qtest.h"

#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "process.h"
#include "support.h"

static void send_line(const struct qtest *qtest, const char *line)
{
    ssize_t sent = send(qtest->fd, line, strlen(line), MSG_NOSIGNAL);

    ck_assert_msg(sent == (ssize_t)strlen(line), "QEMU is gone; it said:\n%s", process_said(qtest->process));
}

/* One line, without its end. */
static char *receive_line(const struct qtest *qtest)
{
    GString *line = g_string_new(NULL);
    char text[4096];

    while (line->len == 0 || line->str[line->len - 1] != '\n') {
        struct pollfd socket = {.fd = qtest->fd, .events = POLLIN};
        ssize_t got = poll(&socket, 1, PATIENCE_MS) == 1 ? recv(qtest->fd, text, sizeof(text), 0) : -1;

        ck_assert_msg(got > 0, "QEMU %s; it said:\n%s", got == 0 ? "is gone" : "does not answer",
                      process_said(qtest->process));
        g_string_append_len(line, text, got);
    }
    g_string_truncate(line, line->len - 1);
    return g_string_free(line, FALSE);
}

/* Sends @line, which is given, and answers what follows the OK: the caller's to g_free(). */
static char *ask(const struct qtest *qtest, char *line)
{
    char *answer;
    char *rest;

    send_line(qtest, line);
    answer = receive_line(qtest);
    ck_assert_msg(g_str_has_prefix(answer, "OK"), "to %sQEMU answered: %s", line, answer);
    rest = g_strdup(g_strstrip(answer + strlen("OK")));
    g_free(answer);
    g_free(line);
    return rest;
}

static void command(const struct qtest *qtest, const char *verb, uint64_t where, uint64_t value)
{
    g_free(ask(qtest, g_strdup_printf("%s 0x%" PRIx64 " 0x%" PRIx64 "\n", verb, where, value)));
}

static uint32_t query(const struct qtest *qtest, const char *verb, uint64_t where)
{
    char *answer = ask(qtest, g_strdup_printf("%s 0x%" PRIx64 "\n", verb, where));
    uint64_t value = g_ascii_strtoull(answer, NULL, 0);

    g_free(answer);
    return (uint32_t)value;
}

void qtest_outl(const struct qtest *qtest, uint16_t port, uint32_t value)
{
    command(qtest, "outl", port, value);
}

uint32_t qtest_inl(const struct qtest *qtest, uint16_t port)
{
    return query(qtest, "inl", port);
}

void qtest_writeb(const struct qtest *qtest, uint64_t address, uint8_t value)
{
    command(qtest, "writeb", address, value);
}

void qtest_writew(const struct qtest *qtest, uint64_t address, uint16_t value)
{
    command(qtest, "writew", address, value);
}

void qtest_writel(const struct qtest *qtest, uint64_t address, uint32_t value)
{
    command(qtest, "writel", address, value);
}

uint32_t qtest_readl(const struct qtest *qtest, uint64_t address)
{
    return query(qtest, "readl", address);
}

void qtest_write(const struct qtest *qtest, uint64_t address, const void *bytes, uint32_t count)
{
    char *text = g_base64_encode(bytes, count);

    g_free(ask(qtest, g_strdup_printf("b64write 0x%" PRIx64 " 0x%" PRIx32 " %s\n", address, count, text)));
    g_free(text);
}

void qtest_read(const struct qtest *qtest, uint64_t address, void *bytes, uint32_t count)
{
    char *text = ask(qtest, g_strdup_printf("b64read 0x%" PRIx64 " 0x%" PRIx32 "\n", address, count));
    gsize length;
    guchar *decoded = g_base64_decode(text, &length);

    ck_assert_uint_eq(length, count);
    memcpy(bytes, decoded, count);
    g_free(decoded);
    g_free(text);
}

void qtest_settle(const struct qtest *qtest)
{
    qtest_inl(qtest, 0xcf8);
    qtest_inl(qtest, 0xcf8);
}
