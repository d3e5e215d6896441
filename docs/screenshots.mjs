// Makes the README's pictures from a stack that runs and has a finished demo: `make ui`, then `make screenshots`.
// Needs Node.js and a Chromium; playwright-core, which drives it, is fetched into .nocturne/browser.
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync } from "node:fs";

const root = new URL("..", import.meta.url).pathname;
const { chromium } = createRequire(`${root}.nocturne/browser/`)("playwright-core");
const airflow = `http://127.0.0.1:${process.env.AIRFLOW_PORT ?? 8080}`;
const mlflow = `http://127.0.0.1:${process.env.MLFLOW_PORT ?? 5000}`;
const password = JSON.parse(readFileSync(`${root}.nocturne/airflow/passwords.json`)).admin;
const program = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);
const folder = process.env.OUT ?? `${root}docs/images`;
const wanted = process.argv.slice(2);

async function json(url, options = {}) {
  const answer = await fetch(url, options);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

async function newestRun(dag) {
  const login = { method: "POST", headers: { "Content-Type": "application/json" } };
  const body = JSON.stringify({ username: "admin", password });
  const { access_token: token } = await json(`${airflow}/auth/token`, { ...login, body });
  const headers = { Authorization: `Bearer ${token}` };
  const url = `${airflow}/api/v2/dags/${dag}/dagRuns?order_by=-run_after&limit=1&state=success`;
  const { dag_runs: runs } = await json(url, { headers });
  if (!runs.length) throw new Error(`${dag} has no finished run: make demo first`);
  return runs[0].dag_run_id;
}

const pictures = {
  async form(page) {
    await page.goto(`${airflow}/dags/refresh_demo`);
    await page.getByRole("button", { name: "Trigger", exact: false }).first().click();
    await page.getByText("instruct", { exact: false }).first().waitFor();
  },
  async graph(page) {
    await page.setViewportSize({ width: 1900, height: 620 }); // ten steps in a row
    await page.goto(airflow);
    await page.evaluate(() => localStorage.setItem("default_dag_view", JSON.stringify("graph")));
    await page.goto(`${airflow}/dags/refresh_demo/runs/${encodeURIComponent(await newestRun("refresh_demo"))}`);
    await page.locator(".react-flow__node").first().waitFor();
  },
  async dataset(page) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${airflow}/plugin/datasets`);
    const inside = page.frameLocator("iframe");
    await inside.getByRole("link", { name: "demo" }).first().click();
    await inside.locator("a[href*='publish/']").first().click();
    await inside.getByText("instruct").first().waitFor();
    const frame = page.frames().find((item) => item.url().includes("/nocturne/"));
    await frame.evaluate((here) => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(here, "/srv/nocturne/");
    }, root); // where this checkout lies is nobody's business
  },
  async mlflow(page) {
    const find = (path, body) =>
      json(`${mlflow}/api/2.0/mlflow/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    const { experiments } = await find("experiments/search", { max_results: 50, filter: "name LIKE '%demo%'" });
    const ids = experiments.map((experiment) => experiment.experiment_id);
    const { runs } = await find("runs/search", { experiment_ids: ids, max_results: 50 });
    const run = runs.find((item) => (item.data.metrics ?? []).some((metric) => metric.key === "train_loss")) ?? runs[0];
    await page.goto(`${mlflow}/#/experiments/${run.info.experiment_id}/runs/${run.info.run_id}/model-metrics`);
    await page.locator(".js-plotly-plot").first().waitFor();
    const assistant = page.getByRole("button", { name: "Close" });
    if (await assistant.count()) await assistant.first().click();
  },
};

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--lang=en-GB"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
page.setDefaultTimeout(120_000);
await page.goto(airflow);
await page.locator("input[name=username]").fill("admin");
await page.locator("input[name=password]").fill(password);
await page.locator("button[type=submit]").click();
await page.waitForURL((url) => !url.pathname.includes("login"));
for (const [name, open] of Object.entries(pictures)) {
  if (wanted.length && !wanted.includes(name)) continue;
  await open(page);
  await page.waitForTimeout(3000); // layout and curves settle
  await page.screenshot({ path: `${folder}/${name}.png` });
  console.log(`${folder}/${name}.png`);
}
await browser.close();
