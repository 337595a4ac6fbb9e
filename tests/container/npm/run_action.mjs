// Runs the docker action of a checkout once, as a GitHub runner does, on the engine that `docker` on PATH talks to.
//
// stdin:  {"checkout": folder, "workspace": folder, "temp": folder, "inputs": {}, "env": {}, "event": {"name", "payload"}}
// stdout: {"exitCode", "stdout", "stderr", "outputs", "summary", "secrets", "errors", "complaints", "error"}
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { RunOptions, RunTarget } from "github-action-ts-run-api";

const SUMMARY = "step_summary.md";

const job = JSON.parse(await text(process.stdin));
const summary = join(job.temp, SUMMARY);
writeFileSync(summary, ""); // it exists before the step runs

const options = RunOptions.create()
  .setInputs(job.inputs)
  .setEnv({
    // What the package does not know of: a home for root, and the summary, which therefore lies in the temp folder.
    HOME: "/github/home",
    GITHUB_STEP_SUMMARY: `/home/runner/work/_temp/${SUMMARY}`,
    ...job.env,
  })
  .setGithubContext({ eventName: job.event.name, payload: job.event.payload })
  .setWorkspaceDir(job.workspace)
  .setTempDir(job.temp)
  .setOutputOptions({ printStdout: false, printStderr: false, printRunnerWarnings: false });

// GitHub runs docker actions as root.
const target = RunTarget.dockerAction(join(job.checkout, "action.yml"), { runUnderCurrentLinuxUser: false });
const result = await target.run(options);

process.stdout.write(
  JSON.stringify({
    exitCode: result.exitCode ?? null,
    stdout: result.stdout ?? "",
    stderr: result.stderr ?? "",
    outputs: result.commands.outputs,
    summary: readFileSync(summary, "utf8"),
    secrets: result.commands.secrets,
    errors: result.commands.errors,
    complaints: result.runnerWarnings.map((warning) => warning.message),
    error: result.error?.message ?? null, // of the build, or of the client; a failed step is none
  }),
);
