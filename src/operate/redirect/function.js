// {{HEAD}}
// A CloudFront function (runtime cloudfront-js-2.0) for viewer requests. Where comments make it longer than the 10 KB that
// CloudFront takes:
//     grep -v '^//' FILE
// What the distribution needs beside it stands below, as JSON in the words of its API (DistributionConfig, CachePolicyConfig):
//     sed -n 's#^//= ##p' FILE
// Below these paths, the function cuts the prefix off, and each origin of a group puts its own one before what is left:
// so production is asked first, and on 403 or 404 the legacy bucket. Both may be private: give each origin an
// origin access control, and each bucket a policy that lets this distribution read (s3:GetObject).
// Before finalize, look at the access log of the legacy bucket: it must be silent.
//
{{DISTRIBUTION}}

var STAGE = {{STAGE}};
var PATTERN = {{PATTERN}};
var MAPPINGS = [
{{MAPPINGS}}
];
// The cache is told by it which mapping a cut path belongs to, and which buckets are asked for it.
var HEADER = "avatar-migrate-mapping";

function handler(event) {
    var request = event.request;
    delete request.headers[HEADER];
    if (hasDotSegment(request.uri)) {
        return { statusCode: 400, statusDescription: "Bad Request" };
    }
    for (var i = 0; i < MAPPINGS.length; i++) {
        var mapping = MAPPINGS[i];
        var legacy = below(request.uri, mapping.legacy);
        var rest = legacy === null ? below(request.uri, mapping.modern) : legacy;
        if (rest === null) {
            continue;
        }
        var name = decoded(rest);
        // As the path patterns of the distribution see it, in which `*` takes slashes too.
        var fitting = mapping.legacy === mapping.modern || fits(PATTERN, name) || fits("*/" + PATTERN, name);
        if (legacy !== null && STAGE === "redirect" && fits(PATTERN, name.split("/").pop())) {
            return moved(mapping.to + rest, request.querystring);
        }
        request.uri = "/" + rest;
        request.headers[HEADER] = { value: fitting ? mapping.id : mapping.id + (legacy === null ? "-production" : "-legacy") };
        return request;
    }
    return request;
}

// What follows a prefix, as the client has encoded it; null if the path begins otherwise.
function below(uri, prefix) {
    var depth = prefix.split("/").length - 1;
    var parts = uri.split("/");
    if (parts.length <= depth || decoded(parts.slice(0, depth).join("/") + "/") !== prefix) {
        return null;
    }
    return parts.slice(depth).join("/");
}

// A text that does not decode stays as it is.
function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        return text;
    }
}

function hasDotSegment(uri) {
    var parts = uri.split(/\/|%2f/i);
    for (var i = 0; i < parts.length; i++) {
        var part = parts[i].replace(/%2e/gi, ".");
        if (part === "." || part === "..") {
            return true;
        }
    }
    return false;
}

// `*` stands for any text, `?` for one character. On a dead end the last `*` takes one more.
function fits(glob, text) {
    var g = 0, t = 0, star = -1, from = 0;
    var letters = Array.from(text), signs = Array.from(glob);
    while (t < letters.length) {
        if (signs[g] === "*") {
            star = g++;
            from = t;
        } else if (signs[g] === "?" || signs[g] === letters[t]) {
            g++;
            t++;
        } else if (star >= 0) {
            g = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (signs[g] === "*") {
        g++;
    }
    return g === signs.length;
}

function moved(location, querystring) {
    var query = [];
    for (var name in querystring) {
        var values = querystring[name].multiValue || [querystring[name]];
        for (var i = 0; i < values.length; i++) {
            query.push(values[i].value === "" ? name : name + "=" + values[i].value);
        }
    }
    return {
        statusCode: 301,
        statusDescription: "Moved Permanently",
        headers: {
            "location": { value: location + (query.length ? "?" + query.join("&") : "") },
            "cache-control": { value: "max-age={{SECONDS}}" }
        }
    };
}
