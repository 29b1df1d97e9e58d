/** @sotto/wire/confer: the JSON of suite `confer-1` (spec/confer.md): evidence, chat requests, events. */
export { type ConferChatRequest, encodeConferChatRequest, parseConferChatRequest } from './chat-request.ts';
export { type ConferEvent, encodeConferEvent, parseConferEvent } from './events.ts';
export { type ConferEvidence, encodeConferEvidence, parseConferEvidence } from './evidence.ts';
