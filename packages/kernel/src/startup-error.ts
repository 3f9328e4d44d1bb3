/** What keeps a program from starting and an operator can mend: its message says all, and is shown without a stack. */
export class StartupError extends Error {}
