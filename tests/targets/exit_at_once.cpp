// SPDX-License-Identifier: GPL-3.0-or-later

/// Ends at once. Built in several ways to be told apart by its file: static, with AddressSanitizer.
int main() { return 0; }
