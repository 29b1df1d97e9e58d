/** What is agreed about sealed copies of chats behind links (spec/server.md "Shares"). They travel as bytes. */

/** Of a sealed copy. */
export const SHARE_LIMIT_BYTES = 1024 * 1024;
/** Until a link ends, at most. */
export const SHARE_DAYS_LIMIT = 365;
