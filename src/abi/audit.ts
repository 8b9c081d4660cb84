// What of the audit system programs see (include/uapi/linux/audit.h).

/** No login, no session. */
export const AUDIT_UNSET = 0xffffffff;
