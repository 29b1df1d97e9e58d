/**
 * The vendor's two roots, as data: one above the devices, one above the manifests. Source: NVIDIA/nvtrust at commit 02817309,
 * guest_tools/gpu_verifiers/local_gpu_verifier/src/verifier/certs; the device root is the same in NVIDIA's and other verifiers.
 * The test of the fingerprints holds this file against spec/evidence-nvidia.md §roots.
 */
import { parseBase64 } from '@sotto/bytes';
import { type Certificate, parseCertificate } from '@sotto/crypto/x509';

/** `NVIDIA Device Identity CA`; SHA-256 of the DER 102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48. */
const DEVICE_ROOT = [
  'MIICCzCCAZCgAwIBAgIQLTZwscoQBBHB/sDoKgZbVDAKBggqhkjOPQQDAzA1MSIwIAYDVQQDDBlOVklESUEgRGV2aWNlIElkZW50',
  'aXR5IENBMQ8wDQYDVQQKDAZOVklESUEwIBcNMjExMTA1MDAwMDAwWhgPOTk5OTEyMzEyMzU5NTlaMDUxIjAgBgNVBAMMGU5WSURJ',
  'QSBEZXZpY2UgSWRlbnRpdHkgQ0ExDzANBgNVBAoMBk5WSURJQTB2MBAGByqGSM49AgEGBSuBBAAiA2IABA5MFKM7+KViZljbQSlg',
  'fky/RRnEQScW9NDZF8SXgAW96r6u/Ve8ZggtcYpPi2BS4VFu6KfEIrhN6FcHG7WP05W+oM+hxj7nyA1r1jkB2Ry70YfThX3Ba1zO',
  'ryOP+MJ9vaNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFFeF/4PyY8xlfWi3Olv0jUrL+0lf',
  'MB8GA1UdIwQYMBaAFFeF/4PyY8xlfWi3Olv0jUrL+0lfMAoGCCqGSM49BAMDA2kAMGYCMQCPeFM3TASsKQVaT+8S0sO9u97PVGCp',
  'E9d/I42IT7k3UUOLSR/qvJynVOD1vQKVXf0CMQC+EY55WYoDBvs2wPAH1Gw4LbcwUN8QCff8bFmV4ZxjCRr4WXTLFHBKjbfneGSB',
  'WwA=',
].join('');

/** `NVIDIA CoRIM signing Root CA`; SHA-256 of the DER 12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1. */
const RIM_ROOT = [
  'MIICKTCCAbCgAwIBAgIQRdrjoA5QN73fh1N17LXicDAKBggqhkjOPQQDAzBFMQswCQYDVQQGEwJVUzEPMA0GA1UECgwGTlZJRElB',
  'MSUwIwYDVQQDDBxOVklESUEgQ29SSU0gc2lnbmluZyBSb290IENBMCAXDTIzMDMxNjE1MzczNFoYDzIwNTMwMzA4MTUzNzM0WjBF',
  'MQswCQYDVQQGEwJVUzEPMA0GA1UECgwGTlZJRElBMSUwIwYDVQQDDBxOVklESUEgQ29SSU0gc2lnbmluZyBSb290IENBMHYwEAYH',
  'KoZIzj0CAQYFK4EEACIDYgAEuECyi9vNM+Iw2lfUzyBldHAwaC1HF7TCgp12QcEyUTm3Tagxwr48d55+K2VIlWYIDk7NlAIQdcV/',
  'Ff7euGLI+Qauj93HsSI4WX298PpW54RTgz9tC+Q684caR/BXWEeZo2MwYTAdBgNVHQ4EFgQUpaXrOPK4ZDAk08DBskn594zeZjAw',
  'HwYDVR0jBBgwFoAUpaXrOPK4ZDAk08DBskn594zeZjAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0E',
  'AwMDZwAwZAIwHGDyscDP6ihHqRvZlI3eqZ4YkvjE1duaN84tAHRVgxVMvNrp5Tnom3idHYGW/dskAjATvjIx6VzHm/4e2GiZAyZE',
  'IUBDOKPzp5ei/A0iUZpdvngenDwV8Qa/wGdiTmJ7Bp4=',
].join('');

export interface NvidiaRoots {
  /** Above the keys of devices. */
  readonly device: readonly Certificate[];
  /** Above the signers of manifests. */
  readonly rim: readonly Certificate[];
}

/** Those that the product trusts. Tests and auditors give others. */
export function productionRoots(): NvidiaRoots {
  return {
    device: [parseCertificate(parseBase64(DEVICE_ROOT))],
    rim: [parseCertificate(parseBase64(RIM_ROOT))],
  };
}
