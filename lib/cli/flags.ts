import type { Command } from "@commander-js/extra-typings";

/** The values of the options that a function declares on a command. */
export type Flags<Declare extends (program: Command) => { opts(): unknown }> = ReturnType<ReturnType<Declare>["opts"]>;
