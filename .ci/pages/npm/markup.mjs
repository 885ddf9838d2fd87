// Holds pages to the HTML standard: reads {name: html} from a file, and prints faults as JSON.
import { readFileSync } from "node:fs";
import { HtmlValidate } from "html-validate";

const config = {
	root: true,
	extends: ["html-validate:recommended", "html-validate:standard", "html-validate:document", "html-validate:a11y"],
	rules: {
		// Files of ours change with their names.
		"require-sri": ["error", { target: "crossorigin" }],
		// The passkey's form is sent by the script, once the browser's own prompt is answered.
		"wcag/h32": "off",
		// A set of boxes, and a field that is there once for each row, have one name.
		"form-dup-name": "off",
		// Of style, or for search engines, not of the standard.
		"doctype-style": ["error", { style: "lowercase" }],
		"no-trailing-whitespace": "off",
		"no-redundant-for": "off",
		"long-title": "off",
		"no-implicit-button-type": "off",
		"no-implicit-input-type": "off",
	},
};
const checker = new HtmlValidate(config);
// Mail programs need what browsers no longer do: styles where they are used, and tables with attributes.
const mails = new HtmlValidate({ ...config, rules: { ...config.rules, "no-inline-style": "off", "no-deprecated-attr": "off" } });
const faults = [];
for (const [page, html] of Object.entries(JSON.parse(readFileSync(process.argv[2], "utf8")))) {
	const { results } = await (page.startsWith("mail-") ? mails : checker).validateString(html, page);
	for (const { messages } of results) {
		for (const m of messages) faults.push({ page, rule: m.ruleId, element: m.selector ?? `line ${m.line}`, says: m.message });
	}
}
process.stdout.write(JSON.stringify(faults));
