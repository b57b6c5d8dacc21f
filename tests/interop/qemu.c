/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu.h"

#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "support.h"

#define PROGRAM "qemu-system-x86_64"

#define SLOT      5u
#define DEVICE_ID 0x11101af4u

/* The guest's physical addresses: 16 MiB of RAM, and the PCI regions far above it. */
#define WORDS      0x00200000u /* in RAM: one word a vector, for MSI-X to write to */
#define MEMORY     0xd0000000u
#define REGISTERS  QEMU_REGISTERS
#define MSIX_TABLE 0xe0100000u

#define REGISTERS_BAR 0
#define MSIX_BAR      1
#define MEMORY_BAR    2

#define IVPOSITION 0x8
#define DOORBELL   0xc

/* What vector @vector writes: never 0, and no other vector's. */
static uint32_t word_of(uint32_t vector)
{
    return 0x5ec70000u | vector;
}

static const char *program(void)
{
    const char *named = getenv("IVFLAT_QEMU");

    return named ? named : PROGRAM;
}

const char *qemu_missing(void)
{
    char *command = g_strdup_printf("%s -device ivshmem-doorbell,help", program());
    char *said = NULL;
    char *complained = NULL;
    bool ran = g_spawn_command_line_sync(command, &said, &complained, NULL, NULL);
    bool has = ran && strstr(said, "vectors=");

    g_free(complained);
    g_free(said);
    g_free(command);
    if (!ran) {
        return PROGRAM ", or what IVFLAT_QEMU names, is not installed";
    }
    return has ? NULL : PROGRAM ", or what IVFLAT_QEMU names, has no device ivshmem-doorbell";
}

static struct process *start_program(const char *socket, uint32_t vectors, const char *properties, int qtest_fd)
{
    char *chardev = g_strdup_printf("socket,id=server,path=%s", socket);
    char *device = g_strdup_printf("ivshmem-doorbell,chardev=server,addr=%u,vectors=%u%s%s", SLOT, vectors,
                                   *properties ? "," : "", properties);
    const char *argv[] = {program(),     "-M",
                          "pc",          "-m",
                          "16",          "-accel",
                          "tcg",         "-S",
                          "-display",    "none",
                          "-nodefaults", "-no-user-config",
                          "-chardev",    "socket,id=qtest,fd=3",
                          "-qtest",      "chardev:qtest",
                          "-qtest-log",  "none",
                          "-chardev",    chardev,
                          "-device",     device,
                          NULL};
    struct process *process = process_start(argv, qtest_fd);

    g_free(chardev);
    g_free(device);
    return process;
}

/* What firmware does, then the driver. */
static void set_up(struct qemu *qemu)
{
    uint32_t offset;

    ck_assert_uint_eq(pci_read(&qemu->pci, 0), DEVICE_ID);
    ck_assert_uint_eq(pci_msix_table(&qemu->pci, &offset), MSIX_BAR);
    ck_assert_uint_eq(pci_msix_vectors(&qemu->pci), qemu->vectors);
    qemu->memory_size = pci_bar_size(&qemu->pci, MEMORY_BAR);
    pci_bar_place(&qemu->pci, REGISTERS_BAR, REGISTERS);
    pci_bar_place(&qemu->pci, MSIX_BAR, MSIX_TABLE);
    pci_bar_place(&qemu->pci, MEMORY_BAR, MEMORY);
    pci_enable(&qemu->pci);
    for (uint32_t i = 0; i < qemu->vectors; i++) {
        pci_msix_point(&qemu->pci, MSIX_TABLE + offset, i, WORDS + 4 * i, word_of(i));
    }
    pci_msix_enable(&qemu->pci);
}

static void qemu_free(void *argument)
{
    struct qemu *qemu = argument;

    if (qemu->process) {
        qemu_end(qemu, SIGTERM);
    }
    g_free(qemu);
}

struct qemu *qemu_start(const char *socket, uint32_t vectors, const char *properties)
{
    struct qemu *qemu = g_new0(struct qemu, 1);
    int qtest[2];

    make_socketpair(qtest);
    qemu->process = start_program(socket, vectors, properties, qtest[1]);
    close_fd(qtest[1]);
    qemu->qtest = (struct qtest){.fd = qtest[0], .process = qemu->process};
    qemu->pci = (struct pci){.qtest = &qemu->qtest, .slot = SLOT};
    qemu->vectors = vectors;
    at_test_end(qemu_free, qemu);
    set_up(qemu);
    return qemu;
}

static void check_quiet(const struct qemu *qemu)
{
    const char *said = process_said(qemu->process);

    if (qemu->complaint) {
        ck_assert_ptr_nonnull(strstr(said, qemu->complaint));
    } else {
        ck_assert_str_eq(said, "");
    }
}

void qemu_end(struct qemu *qemu, int signal)
{
    struct process *process = qemu->process;
    int status;

    qtest_settle(&qemu->qtest);
    check_quiet(qemu);
    qemu->process = NULL;
    status = process_end(process, signal);
    close_fd(qemu->qtest.fd);
    ck_assert_int_eq(status, signal == SIGTERM ? 0 : signal);
}

uint32_t qemu_id(const struct qemu *qemu)
{
    return qtest_readl(&qemu->qtest, REGISTERS + IVPOSITION);
}

void qemu_ring(const struct qemu *qemu, uint32_t id, uint32_t vector)
{
    qtest_writel(&qemu->qtest, REGISTERS + DOORBELL, id << 16 | vector);
}

static bool take_word(const struct qemu *qemu, uint32_t vector)
{
    uint32_t word = qtest_readl(&qemu->qtest, WORDS + 4 * vector);

    if (word == 0) {
        return false;
    }
    ck_assert_uint_eq(word, word_of(vector));
    qtest_writel(&qemu->qtest, WORDS + 4 * vector, 0);
    return true;
}

uint64_t qemu_heard(const struct qemu *qemu)
{
    uint64_t heard = 0;

    qtest_settle(&qemu->qtest);
    for (uint32_t i = 0; i < qemu->vectors; i++) {
        heard |= (uint64_t)take_word(qemu, i) << i;
    }
    return heard;
}

uint64_t qemu_wait_heard(const struct qemu *qemu)
{
    int64_t deadline = g_get_monotonic_time() + PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
    uint64_t heard = qemu_heard(qemu);

    while (heard == 0 && g_get_monotonic_time() < deadline) {
        heard = qemu_heard(qemu);
    }
    return heard;
}

void qemu_write(const struct qemu *qemu, uint64_t offset, const void *bytes, uint32_t count)
{
    qtest_write(&qemu->qtest, MEMORY + offset, bytes, count);
}

void qemu_read(const struct qemu *qemu, uint64_t offset, void *bytes, uint32_t count)
{
    qtest_read(&qemu->qtest, MEMORY + offset, bytes, count);
}
