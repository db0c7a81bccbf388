// SPDX-License-Identifier: GPL-3.0-or-later
// Draws the flame graphs of a report from the data beside them. Texts are set as text, never as HTML.
"use strict";
(() => {
    const ROW = 19;
    const LEAST_WIDTH = 1.5; // pixels; narrower boxes are not drawn

    const bytesText = (value) => {
        const units = ["B", "KiB", "MiB", "GiB", "TiB"];
        let unit = 0;
        while (Math.abs(value) >= 1024 && unit < 4) { value /= 1024; ++unit; }
        return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
    };
    const timeText = (ns) => ns >= 1e9 ? `${(ns / 1e9).toPrecision(3)} s` : ns >= 1e6 ? `${(ns / 1e6).toPrecision(3)} ms` : `${(ns / 1e3).toPrecision(3)} µs`;
    const valueText = (value, kind) => kind.isBytes ? bytesText(value) : kind.isTime ? timeText(value) : value.toLocaleString("en");
    const tintOf = (module) => {
        let hash = 2166136261;
        for (const unit of new TextEncoder().encode(module)) hash = Math.imul(hash ^ unit, 16777619) >>> 0;
        return hash % 6;
    };
    const element = (tag, className, text) => {
        const made = document.createElement(tag);
        if (className) made.className = className;
        if (text !== undefined) made.textContent = text;
        return made;
    };

    class Flame {
        constructor(place) {
            this.data = JSON.parse(place.querySelector("script").textContent);
            this.kind = 0;
            this.wanted = "";
            this.readTree();
            this.zoom = this.nodes[0];
            this.bar = place.appendChild(element("div", "bar"));
            this.boxes = place.appendChild(element("div", "boxes"));
            this.told = place.appendChild(element("div", "told muted"));
            this.addBar();
            new ResizeObserver(() => this.draw()).observe(this.boxes);
            document.addEventListener("keydown", (event) => { if (event.key === "Escape") this.show(this.nodes[0]); });
        }

        readTree() {
            const path = [];
            this.nodes = this.data.nodes.map(([depth, name, place, ...costs]) => {
                const node = { depth, function: this.data.functions[name], place, costs, children: [], parent: null };
                path.length = depth;
                path.push(node);
                if (depth > 0) { node.parent = path[depth - 1]; node.parent.children.push(node); }
                return node;
            });
        }

        addBar() {
            this.buttons = this.data.kinds.map((kind, index) => {
                const button = element("button", "", kind.label);
                button.type = "button";
                button.onclick = () => { this.kind = index; this.draw(); };
                return this.bar.appendChild(button);
            });
            const search = element("input");
            search.type = "search";
            search.placeholder = "Find functions";
            search.setAttribute("aria-label", "Find functions");
            search.oninput = () => { this.wanted = search.value.toLowerCase(); this.draw(); };
            this.bar.append(search);
        }

        show(node) { this.zoom = node; this.draw(); }

        tell(node) {
            const kind = this.data.kinds[this.kind];
            const all = this.nodes[0].costs[this.kind];
            const [, name, module] = node.function;
            this.told.textContent = `${valueText(node.costs[this.kind], kind)}, ${(100 * node.costs[this.kind] / all).toPrecision(3)} % · ${name}`
                + (node.place ? ` · ${node.place}` : "") + (module ? ` · ${module}` : "");
        }

        draw() {
            this.buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === this.kind)));
            this.boxes.replaceChildren();
            this.depth = 0;
            const width = this.boxes.clientWidth;
            for (let above = this.zoom.parent; above; above = above.parent) this.box(above, 0, width, true);
            this.place(this.zoom, 0, width);
            this.boxes.style.height = `${(this.depth + 1) * ROW}px`;
            const all = this.nodes[0].costs[this.kind];
            const hidden = this.data.hidden ? ` · ${this.data.hidden.toLocaleString("en")} calls below 0.1 % are not drawn` : "";
            this.told.textContent = this.wanted ? `${(100 * this.matching(this.nodes[0]) / Math.max(all, 1)).toPrecision(3)} % goes through functions that match`
                : `${valueText(all, this.data.kinds[this.kind])} in all · click to zoom, Esc to step back${hidden}`;
        }

        isHit(node) { return this.wanted !== "" && node.function[1].toLowerCase().includes(this.wanted); }

        /// Cost of all that goes through a function that is looked for, each stack counted once.
        matching(node) {
            return this.isHit(node) ? node.costs[this.kind] : node.children.reduce((sum, child) => sum + this.matching(child), 0);
        }

        place(node, x, width) {
            this.box(node, x, width, false);
            const all = node.costs[this.kind];
            let at = x;
            const children = [...node.children].sort((a, b) => b.costs[this.kind] - a.costs[this.kind]);
            for (const child of children) {
                const part = all > 0 ? width * Math.max(child.costs[this.kind], 0) / all : 0;
                if (part >= LEAST_WIDTH) this.place(child, at, part);
                at += part;
            }
        }

        box(node, x, width, isAbove) {
            const [name, , module, isOwn] = node.function;
            const box = element("div", `box${isOwn ? ` t${tintOf(module)}` : ""}${this.isHit(node) ? " hit" : ""}${isAbove ? " above" : ""}`, width > 24 ? name : "");
            box.style.cssText = `left:${x}px;width:${width}px;top:${node.depth * ROW}px`;
            box.onclick = () => this.show(node);
            box.onmouseenter = () => this.tell(node);
            this.boxes.append(box);
            this.depth = Math.max(this.depth, node.depth);
        }
    }

    document.querySelectorAll(".flame").forEach((place) => new Flame(place));
})();
