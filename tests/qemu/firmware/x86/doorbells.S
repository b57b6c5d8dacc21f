/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest for KVM, as the 64 KiB that a PC finds below 4 GiB and again below 1 MiB.  It does what the first words of the
 * shared memory say: once word 0 is not 0, it writes word 1 to DOORBELL, word 2 times, and sets word 0 to 0 again.
 */
        .set    REGISTERS, 0xc0000000
        .set    MEMORY, 0xc0100000
        .set    DOORBELL, 12
        .set    BASE, 0xf0000           /* where the code lies, as flat segments see it */

        .section .text
        .code16
        .globl  _start
_start:
start:  cli
        lgdtl   %cs:table_pointer - image
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $8, $BASE + flat - image
        .code32
flat:   movl    $16, %eax
        movl    %eax, %ds
        movl    $REGISTERS, %ebx
        movl    $MEMORY, %esi
next:   pause
        cmpl    $0, (%esi)
        je      next
        movl    4(%esi), %eax
        movl    8(%esi), %ecx
ring:   movl    %eax, DOORBELL(%ebx)
        decl    %ecx
        jnz     ring
        movl    $0, (%esi)
        jmp     next

        .balign 8
table:  .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff      /* code and data, all 4 GiB */
table_pointer:
        .word   23
        .long   BASE + table - image

        .org    0xfff0
        .code16
        ljmpw   $0xf000, $start - image                         /* the first instruction of all */
        .org    0x10000
        .set    image, start
