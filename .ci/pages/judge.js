// What axe-core does not look for. Each function returns faults: a rule, an element, and what is wrong with it.
window.judge = (() => {
	const all = (selector) => Array.from(document.querySelectorAll(selector)).filter((e) => e.checkVisibility({ visibilityProperty: true }));
	const show = (e) => {
		const tag = e.cloneNode(false).outerHTML.replace(/<\/[^>]*>$/, ""), words = e.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
		return tag.slice(0, 120) + words;
	};
	const fault = (rule, e, says) => ({ rule, element: e ? show(e) : "", says });
	const stops = () => all("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")
		.filter((e) => !e.disabled && e.tabIndex >= 0 && (e.type !== "radio" || e.checked || !document.querySelector(`input[name="${CSS.escape(e.name)}"]:checked`)));
	const rtl = () => getComputedStyle(document.documentElement).direction === "rtl";
	const unseen = (e) => e.closest(".unseen, .skip") !== null;

	// Whatever the reader's width, nobody has to scroll sideways to read (WCAG 1.4.10).
	const fits = () => {
		const wide = document.scrollingElement.scrollWidth;
		if (wide <= innerWidth) return [];
		const over = all("body *").filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5 || e.getBoundingClientRect().left < -0.5).filter((e) => !unseen(e));
		return [fault("fits", over.at(-1), `the page is ${wide} px wide in a window of ${innerWidth} px`)];
	};

	// What can be seen of a box, where some of what the element is in scrolls or cuts off.
	const seen = (e, box) => {
		let { left, top, right, bottom } = box;
		for (let up = e; (up = up.parentElement) && up !== document.body;) {
			if (getComputedStyle(up).overflow === "visible") continue;
			const edge = up.getBoundingClientRect();
			[left, top, right, bottom] = [Math.max(left, edge.left), Math.max(top, edge.top), Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
		}
		return right > left && bottom > top ? { left, top, right, bottom, height: bottom - top } : null;
	};

	// The boxes of the lines of each text.
	const lines = () => {
		const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
		for (let node; (node = walker.nextNode());) {
			const e = node.parentElement;
			if (!node.data.trim() || unseen(e) || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
			range.selectNodeContents(node);
			for (const line of range.getClientRects()) {
				const box = line.width > 1 && line.height > 1 ? seen(e, line) : null;
				if (box) found.push({ e, box });
			}
		}
		return found;
	};

	// No text is cut off, and none lies over another.
	const legible = () => {
		const faults = [];
		for (const e of all("body *")) {
			const style = getComputedStyle(e);
			if (unseen(e) || e.matches("input, select, textarea, option, svg, svg *, img, iframe") || !e.textContent.trim()) continue;
			const cut = (way) => way === "hidden" || way === "clip";
			if (cut(style.overflowX) && e.scrollWidth > e.clientWidth + 1) faults.push(fault("legible", e, `cut off: ${e.scrollWidth} px in ${e.clientWidth} px`));
			if (cut(style.overflowY) && e.scrollHeight > e.clientHeight + 1) faults.push(fault("legible", e, `cut off: ${e.scrollHeight} px in a height of ${e.clientHeight} px`));
		}
		const texts = lines();
		texts.sort((a, b) => a.box.top - b.box.top);
		for (const [i, a] of texts.entries()) {
			for (let j = i + 1; j < texts.length && texts[j].box.top < a.box.bottom; j++) {
				const b = texts[j];
				const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
				const y = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
				// Boxes of lines are taller than their letters, by a third or so.
				if (x > 2 && y > Math.min(a.box.height, b.box.height) * 0.45 && a.e !== b.e) faults.push(fault("legible", b.e, `lies over ${show(a.e)}`));
			}
		}
		return faults;
	};

	// WCAG 1.4.12: with the reader's own spacing nothing is lost.
	const spaced = () => {
		const sheet = new CSSStyleSheet();
		sheet.replaceSync("*, *::before, *::after { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }");
		document.adoptedStyleSheets = [sheet];
		const faults = fits().concat(legible());
		document.adoptedStyleSheets = [];
		return faults.map((f) => ({ ...f, rule: "text-spacing", says: `with the reader's spacing (${f.rule}): ${f.says}` }));
	};

	// One first heading, no level left out, a title that says which page it is, and no position in the tab order but that of the text.
	const structure = () => {
		const faults = [], first = all("h1");
		if (first.length !== 1) faults.push(fault("one-h1", first[1], `${first.length} first headings`));
		let level = 0;
		for (const h of all("h1, h2, h3, h4, h5, h6")) {
			const n = Number(h.tagName[1]);
			if (n > level + 1) faults.push(fault("heading-levels", h, `h${n} after h${level}`));
			level = n;
		}
		if (document.title.trim().length < 3) faults.push(fault("title", null, `“${document.title}” says nothing`));
		for (const e of all("[tabindex]")) if (e.tabIndex > 0) faults.push(fault("tab-order", e, "has a place of its own in the tab order"));
		return faults;
	};

	// What follows in the document, and so in the tab order, follows on the screen.
	const order = () => {
		const faults = [];
		const turned = rtl(), list = stops().filter((e) => !unseen(e));
		const after = (a, b) => (turned ? a.right <= b.left + 1 : a.left >= b.right - 1); // a stands further along the line than b
		for (let i = 1; i < list.length; i++) {
			const [a, b] = [list[i - 1], list[i]].map((e) => seen(e, e.getClientRects()[0]));
			if (!a || !b || list[i - 1].contains(list[i])) continue;
			const above = b.bottom <= a.top + 1 && !after(b, a);
			const before = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4 && after(a, b);
			if (above || before) faults.push(fault("tab-order", list[i], `comes after ${show(list[i - 1])}, and stands ${above ? "above" : "before"} it`));
		}
		for (const e of all("body *")) {
			const style = getComputedStyle(e);
			if (style.order !== "0" || style.flexDirection.endsWith("reverse") || style.flexWrap === "wrap-reverse") faults.push(fault("tab-order", e, "is shown in another order than it is read"));
		}
		return faults;
	};

	// Whatever has the focus shows it, and nothing lies over it (WCAG 2.4.7, 2.4.11).
	const focus = () => {
		const faults = [], before = document.activeElement, at = [scrollX, scrollY];
		for (const e of stops()) {
			document.activeElement?.blur?.();
			const rest = getComputedStyle(e), plain = { outline: rest.outline, boxShadow: rest.boxShadow };
			e.focus();
			if (document.activeElement !== e) {
				faults.push(fault("focus", e, "does not take the focus"));
				continue;
			}
			const style = getComputedStyle(e);
			const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && style.outline !== plain.outline;
			if (!ring && (style.boxShadow === plain.boxShadow || style.boxShadow === "none")) faults.push(fault("focus", e, "does not show the focus"));
			e.scrollIntoView({ block: "nearest", behavior: "instant" });
			const box = e.getClientRects()[0], top = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
			if (!top || !(e.contains(top) || top.contains(e) || top.closest("label")?.control === e)) faults.push(fault("focus", e, `something lies over it: ${top ? show(top) : "nothing"}`));
		}
		if (before && before !== document.body) before.focus(); else document.activeElement?.blur?.();
		scrollTo(...at);
		return faults;
	};

	// Who asked for stillness has it (WCAG 2.3.3).
	const still = () => all("*").filter((e) => {
		const style = getComputedStyle(e), times = [style.transitionDuration, style.animationDuration].join().split(",");
		return times.some((time) => parseFloat(time) > 0.01);
	}).map((e) => fault("reduced-motion", e, "moves although the reader wants it still"));

	// Whichever link of a row is marked as the one that the reader is at, all of them stand where they stood: a row that breaks
	// elsewhere on the next page moves what the reader aims at.
	const steady = () => all("nav:has([aria-current])").flatMap((nav) => {
		const links = Array.from(nav.querySelectorAll("a[href]")), now = nav.querySelector("[aria-current]"), as = now.getAttribute("aria-current");
		const places = () => links.map((e) => { const { left, right, top } = e.getBoundingClientRect(); return [left, right, top].map(Math.round).join(); });
		const at = places();
		const faults = links.flatMap((e) => {
			now.removeAttribute("aria-current");
			e.setAttribute("aria-current", as);
			const moved = places().findIndex((place, i) => place !== at[i]);
			e.removeAttribute("aria-current");
			now.setAttribute("aria-current", as);
			return moved < 0 ? [] : [fault("steady", links[moved], `is elsewhere, or of another width, when ${show(e)} is marked`)];
		});
		return faults.slice(0, 1);
	});

	// Where the reader's colours replace ours, what was a ground is told by an edge: controls, and the one that is chosen.
	const edged = (e) => {
		const style = getComputedStyle(e);
		const sides = ["Top", "Bottom", "Left", "Right"].some((side) =>
			parseFloat(style[`border${side}Width`]) >= 1 && style[`border${side}Style`] !== "none" && style[`border${side}Color`] !== style.backgroundColor && !/^rgba\(.*, 0\)$/.test(style[`border${side}Color`]));
		return sides || style.textDecorationLine.includes("underline") || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1);
	};
	const forced = () => {
		if (!matchMedia("(forced-colors: active)").matches) return [fault("forced-colors", null, "they are not forced")];
		const native = "[type=checkbox], [type=radio], [type=file], [type=color], [type=range]";
		const controls = all(".button, input, select, textarea, button").filter((e) => !e.matches(native) && !edged(e) && !(e.matches("button:not(.button)") && edged(e.parentElement)));
		const chosen = all("[aria-current]:not([aria-current=false]), [aria-selected=true], [aria-pressed=true], [role=alert], [role=status]:not(:empty)").filter((e) => !edged(e) && !/^rgba\(.*, 0\)$/.test(getComputedStyle(e).backgroundColor) && Number(getComputedStyle(e).fontWeight) < 600 && !unseen(e));
		return controls.map((e) => fault("forced-colors", e, "is a control without an edge"))
			.concat(chosen.map((e) => fault("forced-colors", e, "is told by its ground alone")));
	};

	const axeFaults = async (runOnly) => {
		const { violations } = await axe.run(document, { runOnly, resultTypes: ["violations"], preload: false, iframes: false });
		return violations.flatMap((v) => v.nodes.map((node) => ({
			rule: v.id, element: node.html.slice(0, 160), says: node.failureSummary.replace(/\s+/g, " ").replace("Fix any of the following: ", "").replace("Fix all of the following: ", ""),
		})));
	};

	return { fits, legible, spaced, structure, order, focus, still, steady, forced, axe: axeFaults };
})();
