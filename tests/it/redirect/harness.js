// Runs a CloudFront function for the events of a file, as CloudFront does: a script with a function `handler`.
"use strict";
const fs = require("fs");
const vm = require("vm");

const context = vm.createContext({});
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context);
const answers = JSON.parse(fs.readFileSync(process.argv[3], "utf8")).map((event) => context.handler(event));
process.stdout.write(JSON.stringify(answers));
