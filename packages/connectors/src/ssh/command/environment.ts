/** Variables that only change how output looks or in which language it is. */
const harmless =
  /^(?:LANG|LANGUAGE|LC_(?:ALL|CTYPE|COLLATE|MESSAGES|MONETARY|NUMERIC|TIME|PAPER|NAME|ADDRESS|TELEPHONE|MEASUREMENT|IDENTIFICATION)|TZ|TERM|COLUMNS|LINES|NO_COLOR|CLICOLOR|CLICOLOR_FORCE|FORCE_COLOR|COLORTERM|CI|DEBIAN_FRONTEND|SYSTEMD_COLORS|SOURCE_DATE_EPOCH)$/;

/** Lower-case names that mean something: zsh ties some of them to PATH and the like, and many programs read the proxies. */
const special = /^(?:path|fpath|cdpath|manpath|module_path|mailpath|fignore|watch|psvar|prompt|argv|status|.*_proxy)$/;

/** A variable set for a command: whether it may change which programs run, or what they do. */
export function tellsPrograms(name: string): boolean {
  return !harmless.test(name);
}

/**
 * A variable of the shell: it reaches programs only if it was exported before, and names in lower case are not, by
 * custom; those that the shell itself obeys are in upper case, but for zsh's.
 */
export function tellsShell(name: string): boolean {
  return /[A-Z]/.test(name) ? tellsPrograms(name) : special.test(name);
}
