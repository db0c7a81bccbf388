/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hand-written assembly whose exported labels have neither type nor size; linked without a table of the local ones. */

/* Without call-frame information: two labels near each other, and much behind the last. */
__asm__(".text\n"
        ".globl label_first\n"
        "label_first: .fill 32, 1, 0x90\n"
        ".globl label_last\n"
        "label_last: .fill 20000, 1, 0x90\n ret\n");

/* A function of its own, that has call-frame information alone, behind a label. */
__asm__(".globl label_before\n"
        "label_before: .fill 32, 1, 0x90\n"
        ".cfi_startproc\n .fill 32, 1, 0x90\n ret\n .cfi_endproc\n"
        ".globl label_behind\n"
        "label_behind: ret\n");

/* A label within a function. */
__asm__(".globl label_inside\n"
        ".cfi_startproc\n .fill 16, 1, 0x90\n"
        "label_inside: .fill 32, 1, 0x90\n ret\n .cfi_endproc\n"
        ".fill 16, 1, 0x90\n"
        ".globl label_end\n"
        "label_end: ret\n");
