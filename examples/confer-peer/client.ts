/** A client of the confer protocol over a real WebSocket, following the steps of its description. Shares no code with packages/. */
import { WebSocket } from 'ws';
import { decodeResponse, encodeRequest, framesOf, Joiner, type Request, type Response } from './messages.ts';
import { Client, type Pipe } from './noise-xx.ts';

export class PeerClient {
  readonly evidence: string;
  readonly serverKey: Buffer;
  readonly pipe: Pipe;
  readonly webSocket: WebSocket;
  readonly #joiner = new Joiner();
  readonly #responses: Response[] = [];
  #wake: () => void = () => undefined;
  /** Code and reason, once the connection is over. */
  readonly closed: Promise<{ code: number; reason: string }>;
  isOver = false;

  private constructor(webSocket: WebSocket, evidence: string, serverKey: Buffer, pipe: Pipe) {
    this.webSocket = webSocket;
    this.evidence = evidence;
    this.serverKey = serverKey;
    this.pipe = pipe;
    webSocket.on('message', (data: Buffer) => {
      const message = this.#joiner.take(pipe.open(data));
      if (message !== undefined) this.#responses.push(decodeResponse(message));
      this.#wake();
    });
    this.closed = new Promise((resolve) =>
      webSocket.once('close', (code, reason) => {
        this.isOver = true;
        this.#wake();
        resolve({ code, reason: reason.toString() });
      }),
    );
  }

  static async connect(baseUrl: string, token: string): Promise<PeerClient> {
    const webSocket = new WebSocket(`${baseUrl}/websocket?token=${token}`, { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      webSocket.once('open', resolve);
      webSocket.once('error', reject);
    });
    const noise = new Client();
    const answer = new Promise<Buffer>((resolve, reject) => {
      webSocket.once('message', resolve);
      webSocket.once('close', () => reject(new Error('closed in the handshake')));
    });
    webSocket.send(noise.first());
    const { serverKey, evidence } = noise.second(await answer);
    const { message, pipe } = noise.third();
    webSocket.send(message);
    return new PeerClient(webSocket, evidence.toString(), serverKey, pipe);
  }

  /** @param pieceBytes how large the frames are @param order in which order the frames go */
  send(request: Request, pieceBytes?: number, order: (frames: Buffer[]) => Buffer[] = (frames) => frames): void {
    for (const frame of order(framesOf(encodeRequest(request), pieceBytes))) this.webSocket.send(this.pipe.seal(frame));
  }

  /** The next response, whatever it answers. */
  async next(): Promise<Response> {
    for (;;) {
      const response = this.#responses.shift();
      if (response !== undefined) return response;
      if (this.isOver) throw new Error('closed');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** A streamed chat: its text, and the last event. */
  async chat(content: string, id = 1n): Promise<{ text: string; last: Record<string, unknown>; status: number }> {
    const body = JSON.stringify({ messages: [{ role: 'user', content }], model: 'any', stream: true });
    this.send({ id, verb: 'POST', path: '/v1/vllm/chat/completions', body });
    for (let text = ''; ; ) {
      const response = await this.next();
      if (response.id !== id) throw new Error('another id');
      if (response.status !== 200) return { text: response.body, last: {}, status: response.status };
      const event = JSON.parse(response.body) as Record<string, unknown>;
      if (event.type === 'token') text += String(event.content);
      if (event.type === 'completion') return { text, last: event, status: 200 };
    }
  }

  close(): void {
    this.webSocket.close();
  }
}
