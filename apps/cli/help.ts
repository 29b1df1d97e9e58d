/** What `sotto --help` prints: for somebody who has never seen Sotto. */
export const HELP = `Sotto: private AI chat that the people who run it cannot read.

  sotto up                  Start everything here and open the app in the browser (this is \`npm start\`).
  sotto chat [ADDRESS]      Chat in the terminal with a Sotto that runs. ADDRESS is the line that \`sotto up\` printed.
  sotto operator show       Show what the operator of this server holds about an account: nothing readable.
  sotto admin disclose ACCOUNT   Print all that the operator of this server could hand over about an account, and what not.
  sotto admin backup FILE   Copy the server's database into FILE, also while the server runs.
  sotto admin restore FILE  Put such a copy into a data folder without accounts, while no server runs there.
  sotto trust add ADDRESS   Remember the fingerprint of a machine; another one stops every chat with it.
  sotto trust list          Show what is remembered.
  sotto trust remove URL    Forget it.
  sotto verify FILE…        Judge hardware evidence offline, rule by rule: a TDX quote, a SEV-SNP report, NVIDIA reports.
  sotto verify ADDRESS      Judge the machine of a Sotto that runs.
  sotto measure             Compute what a SEV-SNP machine must report for the files of a release.
  sotto conformance STAGE   Judge one case, offline: JSON in, JSON out (\`capabilities\` lists the stages; --batch takes many).
  sotto version             Print the version.

sotto up
  --data DIR        Where models, database and keys are kept (default: ~/.local/share/sotto).
  --port N          Port of the page (default 7070).
  --model WHAT      A .gguf file, or starter, qwen3-0.6b, qwen3-1.7b, qwen3-4b, qwen3-8b.
  --cert FILE --key FILE   Serve over TLS with this certificate and key (PEM).
  --host ADDRESS    Address to listen on (default 127.0.0.1; 0.0.0.0 lets other computers in, with --cert and --key).
  --no-open         Do not open a browser.
  --yes             Ask nothing; take what is suggested first.
  --no-download     Fetch no model.
  SOTTO_ENGINE_URL  An inference engine on this machine to use instead, such as http://127.0.0.1:11434.
  SOTTO_ENGINE_MODEL  Which of its models (default: its first).

sotto chat
  --policy FILE     Which machines to accept (JSON), instead of a remembered fingerprint.
  --prompt TEXT     Ask this one question, print the answer, end.
  --data DIR        Where remembered fingerprints are.

sotto verify
  FILE…             The evidence, and what belongs to it: collateral (JSON), certificates (DER, PEM), manifests (XML). Any order.
  --policy FILE     What you demand of the machine (JSON, spec/evidence.md). Without it: is the hardware genuine.
  --live            With an ADDRESS: have the machine prove itself for a number made now, and for this connection.
  --at TIME         Judge for this time instead of now, such as 2026-02-03T01:00:00Z.
  --nonce HEX       What NVIDIA devices, or a TPM, had to answer to.
  --unsafe-test-root FILE  For examples: judge under this root (PEM) instead of the makers’. The verdict says so.
  --json            As JSON.

sotto measure
  --ovmf FILE       The firmware.
  --kernel FILE --initrd FILE --append TEXT   What it starts; the firmware must have a place for their hashes.
  --vcpus N --vcpu-type TYPE   How many processors of which model the guest sees (EPYC-Milan, EPYC-Genoa, EPYC-Turin, …).
  --vmm NAME        qemu (default), ec2, gce.
  --guest-features N  As the host sets them (default 0x1).
  --mode NAME       snp (default), sev-es, sev.
  --json            As JSON, with what a release publishes so that nobody needs the firmware to compute it again.

sotto operator show [ACCOUNT]
  --data DIR        The data folder of the server.
  --json            As JSON.

sotto admin disclose ACCOUNT | backup FILE | restore FILE
  --data DIR        The data folder of the server.
  --json            disclose: as JSON.

Exit codes: 0 done; 1 failed; 64 wrong use; 66 no such file or model; 69 network, server or port not available;
74 disk full; 76 refused, because something could not be verified; 78 this machine or its settings are not fit.
sotto conformance: 0 accepted; 10 rejected; 20 not judged by this version; 30 the input is not a case; 1 failed.
`;
