// With a client secret, every request has an access token: a new one when there is none or when it ends.
// Without, this does nothing, and the token is the one of the Authorization tab.
const secret = pm.variables.get("clientSecret");
const token = pm.variables.get("accessToken");
const end = Number(pm.variables.get("accessTokenEnd") || Infinity);
const use = function (accessToken) {
    pm.request.authorizeUsing("bearer", [{ key: "token", value: accessToken, type: "string" }]);
};

if (secret && token && Date.now() < end) {
    use(token);
} else if (secret) {
    const id = pm.variables.get("clientId");
    const form = [{ key: "grant_type", value: "client_credentials" }].concat(parameters);
    const header = { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" };
    const octets = (text) => text.replace(/%(..)/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
    const encoded = encodeURIComponent(id) + ":" + encodeURIComponent(secret);
    if (authentication === "basic") {
        // RFC 6749 section 2.3.1: both form-encoded.
        header.Authorization = "Basic " + btoa(encoded);
    } else if (authentication === "basic, unencoded") {
        header.Authorization = "Basic " + btoa(octets(encoded));
    } else {
        form.push({ key: "client_id", value: id }, { key: "client_secret", value: secret });
    }
    const request = {
        url: pm.variables.get("tokenUrl"),
        method: "POST",
        header: header,
        body: { mode: "urlencoded", urlencoded: form },
    };
    // Without a token there is nothing to ask the API, neither now nor in the rest of a run.
    const refuse = function (why) {
        pm.collectionVariables.unset("accessToken");
        pm.test("there is an access token", function () {
            throw new Error(why);
        });
        pm.execution.setNextRequest(null);
        pm.execution.skipRequest();
    };
    pm.sendRequest(request, function (error, response) {
        if (error) {
            return refuse(error.message || error.code || "the token endpoint was not reached");
        }
        let answer = {};
        try {
            answer = response.json();
        } catch (notJson) {
            return refuse("the answer is no JSON, status " + response.code);
        }
        if (response.code !== 200 || !answer.access_token) {
            return refuse((answer.error || "status " + response.code) + " " + (answer.error_description || ""));
        }
        // Early, so that a token does not end on its way.
        const seconds = Number(answer.expires_in) || 60;
        pm.collectionVariables.set("accessToken", answer.access_token);
        pm.collectionVariables.set("accessTokenEnd", String(Date.now() + seconds * 900));
        use(answer.access_token);
    });
}
