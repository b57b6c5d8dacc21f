/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uint32_t play(volatile uint32_t *door, uint32_t value, uint32_t times)
 *
 * Sleeps; at each interrupt of vector 0 writes @value to @door and sleeps again, but after the last of so many @times
 * returns 0.  Returns how many are left when vector 1 comes; `ordered` is 1 then.  As few instructions as it takes,
 * since a host without hardware virtualization follows a guest one instruction at a time: interrupts come in HLT alone, so
 * their handlers know what is in each register, drop the frame and go on from there.
 */
        .set    EOI, 0x80b

        .text
        .code32
        .globl  play, play_ball, play_order
play:   pushl   %ebx
        pushl   %esi
        pushl   %edi
        movl    16(%esp), %ebx
        movl    20(%esp), %esi
        movl    24(%esp), %edi
        movl    $EOI, %ecx
        xorl    %eax, %eax
        xorl    %edx, %edx
        jmp     next

play_ball:                              /* the ring first: what follows it is done while it is under way */
        decl    %edi
        jz      last
        movl    %esi, (%ebx)
        addl    $12, %esp
        wrmsr
next:   sti
        hlt
        jmp     next

last:   addl    $12, %esp
        wrmsr
        jmp     done

play_order:
        addl    $12, %esp
        wrmsr
        movl    $1, ordered
done:   movl    %edi, %eax
        popl    %edi
        popl    %esi
        popl    %ebx
        ret
        .section .note.GNU-stack, "", @progbits
