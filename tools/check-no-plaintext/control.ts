export async function runControl(): Promise<boolean> {
  throw new Error('not yet');
}
