// The peer: oidc-provider with its memory adapter, set up to do the same work for a token: one
// client with a secret in the body, and an access token that is an RS256 JWT of two hours.
//
//   node server.mjs CLIENT_ID CLIENT_SECRET
//
// Listens on a free port of 127.0.0.1 and prints it once it serves.

import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [clientId, clientSecret] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" };

const provider = new Provider("http://127.0.0.1", {
  jwks: { keys: [key] },
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      token_endpoint_auth_method: "client_secret_post",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "urn:example:api",
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "",
        audience: "urn:example:api",
        accessTokenFormat: "jwt",
        accessTokenTTL: 7200,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
});

const server = provider.listen(0, "127.0.0.1", () => {
  console.log(server.address().port);
});
