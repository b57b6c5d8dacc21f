/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a PC processor's first instruction, 16 bytes before 4 GiB and in 16-bit mode, to main(): 32-bit code, flat
 * segments over all 4 GiB, no paging.  Data is copied by processor 0; the others wait for that, and get to
 * other_main().  RAM is zeros when the machine begins.
 */
        .section .reset, "ax"
        .code16
        .globl  _start
_start: jmp     start

        .section .text16, "ax"          /* the ROM begins with it, and the code segment with the ROM */
start:  cli
        lgdtl   %cs:(table_pointer - start)
        movl    %cr0, %eax
        andl    $0x9fffffff, %eax       /* caches on */
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $8, $flat
        .balign 8
table:  .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff      /* code, data, all 4 GiB; "accessed": this is ROM */
table_pointer:
        .word   23
        .long   table

        .text
        .code32
flat:   movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $1, %eax
        cpuid
        shrl    $24, %ebx               /* the processor's number */
        movl    %ebx, %eax
        shll    $12, %eax
        movl    $stack_top, %esp
        subl    %eax, %esp
        cld
        testl   %ebx, %ebx
        jnz     other
        movl    $data_load, %esi
        movl    $data_start, %edi
        movl    $data_end, %ecx
        subl    %edi, %ecx
        rep movsb
        movl    $1, copied
        call    main
        jmp     stuck
other:  pause
        cmpl    $0, copied
        je      other
        call    other_main
        .globl  stuck
stuck:  cli
        hlt
        jmp     stuck

        .macro  stuck_unless_there name /* what a program has not */
        .weak   \name
        .set    \name, stuck
        .endm
        stuck_unless_there other_main
        stuck_unless_there device_isr
        stuck_unless_there tick_isr

/* Interrupts 0x30 to 0x7f push their number and come together here: see cpu.c. */
        .globl  interrupt_entries
        .balign 16
interrupt_entries:
        .set    number, 0x30
        .rept   0x50
        .balign 16
        pushl   $number
        jmp     entered
        .set    number, number + 1
        .endr
entered:
        pushal
        cld
        pushl   32(%esp)
        call    cpu_interrupted
        popl    %eax
        popal
        addl    $4, %esp
        ret     $8                      /* not IRET: see sleep.h */

        .bss
copied: .long   0
        .section .note.GNU-stack, "", @progbits
