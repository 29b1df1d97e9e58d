/** Styles of what is loaded on demand come with it. */
declare module '*.css';
