// An authorization server for a test: oidc-provider, whose client "runner-1" gets access tokens by its credentials.
// Arguments: the folder of the module, a port (0: any), and the address for which its tokens are. It prints its own.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';

const [module, port, audience] = process.argv.slice(2);
const { default: Provider } = await import(join(module, 'lib', 'index.js'));
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: randomUUID() };

const server = createServer();
server.listen(Number(port), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    clients: [{
      client_id: 'runner-1', client_secret: 'of-a-test', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      id_token_signed_response_alg: 'ES256',
    }],
    scopes: ['read', 'trade', 'search'],
    jwks: { keys: [key] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          audience: resource, scope: 'read trade search', accessTokenTTL: 60, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(url);
});
process.stdin.resume().on('end', () => process.exit());
