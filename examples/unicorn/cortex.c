/* SPDX-License-Identifier: BSD-3-Clause */
#include "cortex.h"

#include <stdio.h>

enum {
    SLICE = 2000,          /* blocks, some 20 us: so long may an interrupt have to wait for running code */
    TRAP_RETURN = 8,       /* the engine's number for a jump to 0xfffffff... */
    STACK_ALIGNED = 0x200, /* in a stacked xPSR: four bytes were left out */
    THUMB = 0x01000000
};
#define RETURN_MAIN    0xfffffff9u /* the link register in a handler: back to code on the main stack */
#define RETURN_PROCESS 0xfffffffdu /* ... on the process stack */
#define NO_ADDRESS     0xffffffffu /* where the engine shall stop: nowhere */

/* In the order in which the hardware pushes them, from the lowest address up. */
static const int frame_registers[8] = {UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3,
                                       UC_ARM_REG_R12, UC_ARM_REG_LR, UC_ARM_REG_PC, UC_ARM_REG_XPSR};

static uint32_t get(struct cortex *cpu, int reg)
{
    uint32_t value = 0;

    uc_reg_read(cpu->engine, reg, &value);
    return value;
}

static void set(struct cortex *cpu, int reg, uint32_t value)
{
    uc_reg_write(cpu->engine, reg, &value);
}

void cortex_fault(struct cortex *cpu, const char *what, uint64_t address)
{
    if (!cpu->fault[0])
        snprintf(cpu->fault, sizeof cpu->fault, "the guest %s at 0x%08x, pc 0x%08x", what, (uint32_t)address,
                 get(cpu, UC_ARM_REG_PC));
    uc_emu_stop(cpu->engine);
}

static bool may_interrupt(struct cortex *cpu)
{
    return nvic_next(&cpu->nvic) &&
           !(get(cpu, UC_ARM_REG_PRIMASK) | get(cpu, UC_ARM_REG_FAULTMASK) | get(cpu, UC_ARM_REG_BASEPRI));
}

/* CPSIE and MSR end a block, so an interrupt is taken where they open the door, however short. */
static void on_block(uc_engine *engine, uint64_t address, uint32_t size, void *user)
{
    struct cortex *cpu = user;

    (void)size;
    if (cpu->blocks-- > 1 && !may_interrupt(cpu))
        return;
    cpu->interrupted = true;
    cpu->stopped = (uint32_t)address;
    uc_emu_stop(engine);
}

/* Empty: with a hook for each instruction the engine keeps the program counter exact, for cortex_fault(). */
static void on_instruction(uc_engine *engine, uint64_t address, uint32_t size, void *user)
{
    (void)engine, (void)address, (void)size, (void)user;
}

static bool on_invalid(uc_engine *engine, uc_mem_type type, uint64_t address, int size, int64_t value, void *user)
{
    bool write = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    bool fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;

    (void)engine, (void)size, (void)value;
    cortex_fault(user,
                 write   ? "wrote to what cannot be written"
                 : fetch ? "jumped to no code"
                         : "read what is not there",
                 address);
    return false;
}

static void on_trap(uc_engine *engine, uint32_t number, void *user)
{
    struct cortex *cpu = user;

    cpu->trap = number;
    uc_emu_stop(engine);
}

bool cortex_open(struct cortex *cpu)
{
    uc_hook hook;

    if (uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &cpu->engine) != UC_ERR_OK)
        return false;
    uc_ctl_set_cpu_model(cpu->engine, UC_CPU_ARM_CORTEX_M3);
    uc_hook_add(cpu->engine, &hook, UC_HOOK_BLOCK, (void *)on_block, cpu, 1, 0);
    uc_hook_add(cpu->engine, &hook, UC_HOOK_CODE, (void *)on_instruction, cpu, 1, 0);
    uc_hook_add(cpu->engine, &hook, UC_HOOK_MEM_INVALID, (void *)on_invalid, cpu, 1, 0);
    uc_hook_add(cpu->engine, &hook, UC_HOOK_INTR, (void *)on_trap, cpu, 1, 0);
    return true;
}

void cortex_close(struct cortex *cpu)
{
    if (cpu->engine)
        uc_close(cpu->engine);
    cpu->engine = NULL;
}

void cortex_reset(struct cortex *cpu)
{
    uint32_t vectors[2] = {0, 0};

    uc_mem_read(cpu->engine, 0, vectors, sizeof vectors);
    set(cpu, UC_ARM_REG_XPSR, THUMB);
    set(cpu, UC_ARM_REG_SP, vectors[0]);
    set(cpu, UC_ARM_REG_PC, vectors[1]);
}

/* Pushes the frame, on the stack in use, and goes to the handler.  Writing the exception's number to the xPSR makes
 * the main stack the one in use, and ends an IT block that the frame has kept. */
static void enter(struct cortex *cpu, uint32_t exception)
{
    uint32_t frame[8], handler = 0, process = get(cpu, UC_ARM_REG_CONTROL) & 2, sp = get(cpu, UC_ARM_REG_SP);

    for (int i = 0; i < 8; i++)
        frame[i] = get(cpu, frame_registers[i]);
    frame[7] |= sp & 4 ? STACK_ALIGNED : 0;
    sp = (sp - sizeof frame) & ~7u;
    if (uc_mem_write(cpu->engine, sp, frame, sizeof frame) != UC_ERR_OK)
        cortex_fault(cpu, "was interrupted with no room on its stack", sp);
    uc_mem_read(cpu->engine, exception * 4, &handler, sizeof handler);
    set(cpu, UC_ARM_REG_SP, sp);
    set(cpu, UC_ARM_REG_XPSR, THUMB | exception);
    set(cpu, UC_ARM_REG_LR, process ? RETURN_PROCESS : RETURN_MAIN);
    set(cpu, UC_ARM_REG_PC, handler);
    nvic_take(&cpu->nvic, exception);
}

/* The way back: first to the stack that the link register names, then to what lies on it.  FAULTMASK ends with the
 * handler; the other masks stay. */
static void leave(struct cortex *cpu)
{
    uint32_t frame[8] = {0}, sp, link = get(cpu, UC_ARM_REG_PC) | 1;

    if (!cpu->nvic.active)
        cortex_fault(cpu, "returned from no exception", link);
    else if (link != RETURN_MAIN && link != RETURN_PROCESS)
        cortex_fault(cpu, "returned from an exception to where this emulator cannot", link);
    set(cpu, UC_ARM_REG_XPSR, THUMB);
    set(cpu, UC_ARM_REG_CONTROL, (get(cpu, UC_ARM_REG_CONTROL) & ~2u) | (link == RETURN_PROCESS ? 2 : 0));
    set(cpu, UC_ARM_REG_FAULTMASK, 0);
    sp = get(cpu, UC_ARM_REG_SP);
    if (uc_mem_read(cpu->engine, sp, frame, sizeof frame) != UC_ERR_OK)
        cortex_fault(cpu, "lost its stack in a handler", sp);
    set(cpu, UC_ARM_REG_SP, sp + (uint32_t)sizeof frame + (frame[7] & STACK_ALIGNED ? 4 : 0));
    frame[6] |= 1;
    frame[7] &= ~(uint32_t)STACK_ALIGNED;
    for (int i = 0; i < 8; i++)
        set(cpu, frame_registers[i], frame[i]);
    cpu->nvic.active = 0;
}

bool cortex_run(struct cortex *cpu)
{
    uc_err error;

    if (may_interrupt(cpu))
        enter(cpu, nvic_next(&cpu->nvic));
    cpu->blocks = SLICE;
    cpu->interrupted = false;
    cpu->trap = 0;
    error = uc_emu_start(cpu->engine, get(cpu, UC_ARM_REG_PC) | 1, NO_ADDRESS, 0, 0);
    /* Unicorn 2.0 names the instruction before it when that lies on two of its pages, and would run it once more. */
    if (cpu->interrupted)
        set(cpu, UC_ARM_REG_PC, cpu->stopped | 1);
    if (cpu->trap == TRAP_RETURN)
        leave(cpu);
    else if (cpu->trap)
        cortex_fault(cpu, "took an exception that this emulator does not have", cpu->trap);
    else if (error != UC_ERR_OK)
        cortex_fault(cpu, "ran into what is no instruction", get(cpu, UC_ARM_REG_PC));
    cpu->sleeping = !cpu->interrupted && !cpu->trap;
    return !cpu->fault[0];
}
