/* SPDX-License-Identifier: BSD-3-Clause */
#include "board.h"

#include <stdio.h>
#include <string.h>

#include "../firmware/board.h"

enum { PAGE = 0x1000, FLASH = 0, FLASH_SIZE = 0x40000, RAM = 0x20000000, RAM_SIZE = 0x10000 };
_Static_assert(BOARD_MMR % PAGE == 0 && BOARD_UART % PAGE == 0, "a device is at the start of its page here");

/* The device's 16 bytes, and the rest of their page: the device says what is no register. */
static uint64_t read_device(uc_engine *engine, uint64_t offset, unsigned size, void *user)
{
    (void)engine;
    return ivflat_device_read(((struct board *)user)->device, offset, size);
}

static void write_device(uc_engine *engine, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    (void)engine;
    ivflat_device_write(((struct board *)user)->device, offset, size, value);
}

static uint64_t read_nvic(uc_engine *engine, uint64_t offset, unsigned size, void *user)
{
    (void)engine;
    return size == 4 ? nvic_read(&((struct board *)user)->cpu.nvic, (uint32_t)offset) : 0;
}

static void write_nvic(uc_engine *engine, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct cortex *cpu = &((struct board *)user)->cpu;

    (void)engine;
    if ((size != 4 || !nvic_write(&cpu->nvic, (uint32_t)offset, (uint32_t)value)) && value != 0)
        cortex_fault(cpu, "stored to a system register that this emulator does not have", NVIC_BASE + offset);
}

/* Never full, and everything else about it reads 0 too. */
static uint64_t read_uart(uc_engine *engine, uint64_t offset, unsigned size, void *user)
{
    (void)engine, (void)offset, (void)size, (void)user;
    return 0;
}

/* The guest's lines, and nothing that a terminal would take for a command: '?' stands for all but plain ASCII. */
static void end_line(struct board *board)
{
    fwrite(board->line, 1, board->length, stdout);
    putchar('\n');
    fflush(stdout);
    board->length = 0;
}

static void write_uart(uc_engine *engine, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct board *board = user;
    uint8_t byte = (uint8_t)value;

    (void)engine, (void)size;
    if (offset != 0 || byte == '\r')
        return;
    if (byte != '\n')
        board->line[board->length++] = byte == '\t' || (byte >= ' ' && byte <= '~') ? (char)byte : '?';
    if (byte == '\n' || board->length == sizeof board->line)
        end_line(board);
}

/* A Cortex-M faults at an unaligned access to a device; the engine would make several aligned ones of it. */
static void on_access(uc_engine *engine, uc_mem_type type, uint64_t address, int size, int64_t value, void *user)
{
    (void)engine, (void)type, (void)value;
    if (address % (uint64_t)size != 0)
        cortex_fault(user, "accessed a device unaligned", address);
}

static uc_err map_device(struct board *board, uint32_t base, uc_cb_mmio_read_t read, uc_cb_mmio_write_t write)
{
    uc_hook hook;

    uc_hook_add(board->cpu.engine, &hook, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void *)on_access, &board->cpu, base,
                base + PAGE - 1);
    return uc_mmio_map(board->cpu.engine, base, PAGE, read, board, write, board);
}

/* The guest works on the very pages that the server gave. */
static bool map_memory(struct board *board)
{
    uint64_t size = ivflat_device_memory_size(board->device);
    uc_err error = uc_mem_map_ptr(board->cpu.engine, BOARD_MEMORY, size, UC_PROT_READ | UC_PROT_WRITE,
                                  ivflat_device_memory(board->device));

    if (error == UC_ERR_OK)
        return true;
    fprintf(stderr,
            "ivflat-unicorn: %llu bytes of shared memory have no place at 0x%x (a multiple of 4096 has, up to 2 GiB)\n",
            (unsigned long long)size, BOARD_MEMORY);
    return false;
}

bool board_open(struct board *board)
{
    uc_engine *engine;

    if (!cortex_open(&board->cpu)) {
        fprintf(stderr, "ivflat-unicorn: the Unicorn engine cannot be had with a Cortex-M\n");
        return false;
    }
    engine = board->cpu.engine;
    uc_mem_map(engine, FLASH, FLASH_SIZE, UC_PROT_READ | UC_PROT_EXEC);
    uc_mem_map(engine, RAM, RAM_SIZE, UC_PROT_READ | UC_PROT_WRITE);
    map_device(board, BOARD_MMR, read_device, write_device);
    map_device(board, BOARD_UART, read_uart, write_uart);
    map_device(board, NVIC_BASE, read_nvic, write_nvic);
    return map_memory(board);
}

static bool is_firmware(const uint32_t *vectors, size_t size)
{
    return size >= 2 * sizeof *vectors && vectors[0] - RAM <= RAM_SIZE && vectors[0] % 4 == 0 && vectors[1] % 2 == 1 &&
           vectors[1] < size;
}

static bool refuse(const char *path, const char *why)
{
    fprintf(stderr, "ivflat-unicorn: %s: %s\n", path, why);
    return false;
}

bool board_load(struct board *board, const char *path)
{
    static uint32_t image[FLASH_SIZE / sizeof(uint32_t) + 1];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(image, 1, sizeof image, file) : 0;
    bool failed = !file || ferror(file);

    if (file)
        fclose(file);
    if (failed)
        return refuse(path, "cannot be read as a firmware");
    if (size > FLASH_SIZE)
        return refuse(path, "is longer than the flash, 256 KiB");
    if (!is_firmware(image, size))
        return refuse(path, "is no firmware: it has to begin with a vector table, as arm-none-eabi-objcopy -O binary "
                            "writes it");
    uc_mem_write(board->cpu.engine, FLASH, image, size);
    cortex_reset(&board->cpu);
    return true;
}
