//! A real browser that opens files: Chromium, without a window, driven as a person would drive it.

use std::path::Path;
use std::time::Duration;

use avatar_migrate_kit::ChromeDriver;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::process::until;

/// No single step takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A browser with a profile of its own. Dropping it closes it.
pub(crate) struct Browser {
    runtime: tokio::runtime::Runtime,
    client: Option<Client>,
}

impl Browser {
    /// Starts it, and has it note what it logs and what it asks of any network.
    pub(crate) fn new() -> Self {
        Self::of(ChromeDriver::shared())
    }

    fn of(driver: &ChromeDriver) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": driver.arguments() },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let wanted = wanted.as_object().expect("an object").clone();
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            tokio::time::timeout(PATIENCE, builder.capabilities(wanted).connect(driver.url())).await
        });
        let browser = Self { runtime, client: Some(client.expect("Chromium starts in time").expect("a session")) };
        // What its own first page was made of is of no interest.
        browser.wait(browser.client().goto("about:blank"));
        drop((browser.requested(), browser.console()));
        browser
    }

    /// Opens a file, as a double click does.
    pub(crate) fn open(&self, file: &Path) {
        let url = url::Url::from_file_path(file).expect("an absolute path");
        self.wait(self.client().goto(url.as_str()));
    }

    /// What a script gives back that begins with `return`. The page's policy does not bind it.
    pub(crate) fn eval(&self, script: &str) -> Value {
        self.wait(self.client().execute(script, Vec::new()))
    }

    /// The same for a script that calls its last argument when it has an answer.
    pub(crate) fn eval_async(&self, script: &str) -> Value {
        self.wait(self.client().execute_async(script, Vec::new()))
    }

    /// The number that an expression gives.
    #[track_caller]
    pub(crate) fn number(&self, expression: &str) -> u64 {
        let value = self.eval(&format!("return {expression}"));
        value.as_u64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// The text that an expression gives.
    #[track_caller]
    pub(crate) fn text(&self, expression: &str) -> String {
        let value = self.eval(&format!("return {expression}"));
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    /// The texts that an expression gives.
    #[track_caller]
    pub(crate) fn texts(&self, expression: &str) -> Vec<String> {
        let value = self.eval(&format!("return Array.from({expression})"));
        serde_json::from_value(value).expect("texts")
    }

    /// Clicks on what a person sees there.
    pub(crate) fn click(&self, selector: &str) {
        let client = self.client();
        self.wait(async { client.find(Locator::Css(selector)).await?.click().await });
    }

    /// Types into a field, key by key, after what was there is gone.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let client = self.client();
        self.wait(async {
            let field = client.find(Locator::Css(selector)).await?;
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    /// Presses a key (`\u{e004}` is the tabulator) where the focus is.
    pub(crate) fn press(&self, key: &str) {
        let client = self.client();
        self.wait(async { client.active_element().await?.send_keys(key).await });
    }

    /// Sends a command of the DevTools protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.wait(self.client().issue_cmd(OfVendor { path: "goog/cdp/execute", body }))
    }

    /// How wide it is, and how high.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// What the person prefers: `light` or `dark`.
    pub(crate) fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features);
    }

    /// Messages of the console, since it was asked last.
    pub(crate) fn console(&self) -> Vec<Value> {
        self.log("browser")
    }

    /// The addresses of all that was asked for, since it was asked last.
    pub(crate) fn requested(&self) -> Vec<String> {
        let events = self.log("performance").into_iter().filter_map(|entry| {
            let message = serde_json::from_str::<Value>(entry["message"].as_str()?).ok()?;
            let event = message.get("message")?.clone();
            (event["method"] == "Network.requestWillBeSent").then(|| event["params"]["request"]["url"].clone())
        });
        events.map(|url| url.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Keeps a picture of the whole page where `AVATAR_MIGRATE_TEST_PICTURES` says, for a person to look at.
    pub(crate) fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("AVATAR_MIGRATE_TEST_PICTURES") else { return };
        let [width, height] =
            ["clientWidth", "scrollHeight"].map(|side| self.number(&format!("document.documentElement.{side}")));
        self.resize(u32::try_from(width).expect("a width"), u32::try_from(height).expect("a height"));
        let taken = self.devtools("Page.captureScreenshot", json!({}));
        let bytes = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            taken["data"].as_str().expect("a picture"),
        );
        let file = Path::new(&directory).join(format!("{name}.png"));
        std::fs::write(&file, bytes.expect("base64")).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.wait(self.client().issue_cmd(OfVendor { path: "se/log", body: json!({ "type": kind }) }));
        entries.as_array().expect("entries").clone()
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("a browser that is open")
    }

    #[track_caller]
    fn wait<T, E: std::fmt::Display>(&self, work: impl Future<Output = Result<T, E>>) -> T {
        let done = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await });
        done.expect("the browser answers in time").unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // What is left if this fails ends with its driver.
            drop(self.runtime.block_on(async { tokio::time::timeout(PATIENCE, client.close()).await }));
        }
    }
}

#[test]
fn the_browser_ends_with_its_driver() {
    let driver = ChromeDriver::start().expect("a driver");
    let browser = Browser::of(&driver);
    let profile = driver.directory().display().to_string();
    let processes = || {
        let all = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
        // A process may end while it is looked at.
        let lines = all.map(|process| std::fs::read(process.path().join("cmdline")).unwrap_or_default());
        lines.filter(|line| String::from_utf8_lossy(line).contains(&profile)).count()
    };
    assert!(processes() > 1, "no browser runs");
    drop(driver);
    until("every process of the browser is gone", || processes() == 0);
    assert!(!Path::new(&profile).exists(), "its profile is left");
    drop(browser);
}

/// A command of ChromeDriver's own.
#[derive(Debug)]
struct OfVendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for OfVendor {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _request: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
