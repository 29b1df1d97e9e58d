/** What others may know of shaping: the profiles, their figures, what they cost (spec/shaping.md). */
export { costOf, PROFILE_COSTS, type ProfileCost } from './cost.ts';
export { BALANCED, PROFILES, type Profile, STRICT } from './profiles.ts';
