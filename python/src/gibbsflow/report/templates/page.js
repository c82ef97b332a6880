"use strict";
// What a reader does with the page: sort and filter tables, turn the binding site, move the network, save figures.
// Without this script all tables, figures and texts are there.
(() => {
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const make = (tag, values = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), values);
    node.append(...children);
    return node;
  };

  // --- packed parts -------------------------------------------------------------------------------------------------
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const loaded = {};
  const library = (name) => loaded[name] ??= (async () => {
    const script = make("script", { textContent: await unpack(document.getElementById(`library-${name}`).textContent) });
    document.head.append(script);
  })();
  const show = (button, holder, draw) => button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      holder.hidden = false;
      await draw(holder);
      button.remove();
    } catch (error) {
      holder.className = "quiet small";
      holder.textContent = `This browser cannot show it: ${error.message || error}`;
    }
  });
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // --- tables -------------------------------------------------------------------------------------------------------
  const number = (text) => {
    const found = /^[+−-]?\d[\d.]*(e[+-]?\d+)?/i.exec(text.replace(/[\s\u2009]/g, ""));
    return found ? Number(found[0].replace("−", "-")) : NaN;
  };
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell ? (cell.dataset.value ?? cell.textContent).trim() : "";
  };
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return a.localeCompare(b, undefined, { numeric: true });
  };
  const empty = (text) => text === "" || text === "–";
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", title: "Sort by this column" }, ...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((one) => one.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const order = rows.map((row, place) => [value(row, column), place, row]);
        order.sort(([a, i], [b, j]) => (empty(a) - empty(b)) || (down ? -1 : 1) * compare(a, b) || i - j);
        body.append(...order.map(([, , row]) => row));
      });
    });
    const words = make("input", { type: "search", placeholder: "Filter rows", ariaLabel: "Filter rows of the table" });
    const count = make("span", { className: "small quiet", role: "status" });
    const levels = [...new Set(rows.map((row) => row.dataset.verdict).filter(Boolean))].sort();
    const boxes = levels.map((level) => make("input", { type: "checkbox", checked: true, value: level }));
    const filter = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const shut = new Set(boxes.filter((box) => !box.checked).map((box) => box.value));
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = shut.has(row.dataset.verdict) || !wanted.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length} rows`;
    };
    [words, ...boxes].forEach((input) => input.addEventListener("input", filter));
    const chosen = levels.length > 1 ? boxes.map((box) => make("label", {}, box, ` ${box.value}`)) : [];
    if (rows.length > 1) table.closest(".panel").before(make("div", { className: "filter" }, words, ...chosen, count));
    filter();
  }

  // --- links into what is folded up ---------------------------------------------------------------------------------
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1)); // names need no decoding
    const item = target && target.closest("details");
    if (item && !item.open) {
      item.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();

  // --- figures ------------------------------------------------------------------------------------------------------
  for (const link of all("a.csv")) {
    link.addEventListener("click", async (event) => {
      if (link.href.startsWith("blob:")) return;
      event.preventDefault();
      link.href = URL.createObjectURL(new Blob([await unpack(link.dataset.packed)], { type: "text/csv" }));
      link.click();
    });
  }
  for (const link of all("a.svg")) {
    const [drawing, image] = ["svg", "img"].map((kind) => link.closest("figure")?.querySelector(kind));
    if (image) link.href = image.src;
    if (!drawing) continue; // without either it is the file beside the page
    link.addEventListener("click", () => {
      const copy = drawing.cloneNode(true);
      copy.prepend(make("style", { textContent: document.getElementById("chart-style").textContent }));
      const text = new XMLSerializer().serializeToString(copy);
      link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    });
  }

  // --- the binding site ---------------------------------------------------------------------------------------------
  const at = ([x, y, z]) => ({ x, y, z });
  const middle = (a, b) => at(a.map((value, axis) => (value + b[axis]) / 2));
  const drawSite = async (holder) => {
    const [site] = await Promise.all([unpack(holder.dataset.site).then(JSON.parse), library("3dmol")]);
    const viewer = $3Dmol.createViewer(holder, { backgroundColor: colour("panel"), disableFog: true });
    viewer.addModel(site.pdb, "pdb");
    viewer.setStyle({ chain: "R" }, { stick: { radius: 0.09, colorscheme: "grayCarbon" } });
    viewer.setStyle({ chain: "L" }, { stick: { radius: 0.2, colorscheme: "greenCarbon" } });
    if (site.second_pdb) { // thinner, so that what both ligands share is seen as the first one's
      viewer.addModel(site.second_pdb, "pdb");
      viewer.setStyle({ model: 1 }, { stick: { radius: 0.13, colorscheme: "magentaCarbon" } });
    }
    const label = (text, position, back = colour("accent")) => viewer.addLabel(text, {
      position, fontSize: holder.clientWidth < 500 ? 9 : 12, fontColor: "white", backgroundColor: back, backgroundOpacity: 0.8, inFront: true,
    });
    const bond = (a, b, dashed = true) => viewer.addCylinder({
      start: at(a), end: at(b), radius: 0.07, color: colour("warn"), dashed, dashLength: 0.3, gapLength: 0.2,
    });
    const ball = (position, radius) => viewer.addSphere({ center: at(position), radius, color: colour("warn"), alpha: 0.85 });
    const held = Object.values(site.restraint?.anchors ?? {}).map((one) => one.name);
    for (const [number, name] of Object.entries(site.residues)) {
      const atoms = viewer.selectedAtoms({ chain: "R", resi: Number(number) });
      const named = atoms.find((atom) => atom.atom === "CA");
      const anchored = held.some((one) => one.startsWith(`${name.split(" ").pop()}:`)); // its own label names it
      if (named && !anchored) label(name, { x: named.x, y: named.y, z: named.z }, colour("muted"));
    }
    if (site.restraint?.anchors) {
      for (const [anchor, one] of Object.entries(site.restraint.anchors)) {
        ball(one.position_angstrom, 0.45);
        label(`${anchor} ${one.name}`, at(one.position_angstrom));
      }
      const chain = ["P3", "P2", "P1", "L1", "L2", "L3"].map((anchor) => site.restraint.anchors[anchor].position_angstrom);
      chain.slice(1).forEach((one, place) => bond(chain[place], one, place === 2));
    } else if (site.restraint) {
      const [receptor, ligand] = site.restraint.centres_angstrom;
      ball(receptor, 0.5);
      ball(ligand, 0.5);
      bond(receptor, ligand);
      label("centres that the restraint holds", middle(receptor, ligand));
    }
    viewer.zoomTo({ chain: "L" });
    viewer.zoom(0.6 * Math.min(1, holder.clientWidth / holder.clientHeight)); // zoomTo fits the height alone
    viewer.render();
    holder.dataset.drawn = "yes";
    const turn = { ArrowLeft: [-15, "y"], ArrowRight: [15, "y"], ArrowUp: [-15, "x"], ArrowDown: [15, "x"] };
    holder.addEventListener("keydown", (event) => {
      if (turn[event.key]) viewer.rotate(...turn[event.key]);
      else if (event.key === "+" || event.key === "-") viewer.zoom(event.key === "+" ? 1.2 : 1 / 1.2);
      else return;
      event.preventDefault();
    });
  };
  // --- the network --------------------------------------------------------------------------------------------------
  const drawGraph = async (holder) => {
    const place = holder.querySelector(".graph");
    const [graph] = await Promise.all([unpack(place.dataset.graph).then(JSON.parse), library("cytoscape")]);
    const shade = (verdict) => colour({ PASS: "pass", WARN: "warn", FAIL: "fail" }[verdict] ?? "muted");
    const id = (name) => `ligand ${name}`;
    const network = cytoscape({
      container: place,
      layout: { name: "preset" },
      elements: [
        ...graph.nodes.map((one) => ({
          data: { id: id(one.name), label: `${one.name}\n${one.text}`, shade: shade(one.verdict), tip: `${one.name} ${one.text} ${one.verdict}` },
          position: { x: 1.6 * one.x, y: 1.6 * one.y },
        })),
        ...graph.edges.map((one) => ({
          data: {
            source: id(one.a), target: id(one.b), label: one.text, shade: shade(one.verdict), tip: one.tip,
            line: one.used ? "solid" : "dashed",
          },
        })),
      ],
      style: [
        { selector: "node", style: {
          label: "data(label)", "text-wrap": "wrap", "text-valign": "bottom", "font-size": 12, color: colour("ink"),
          "background-color": "data(shade)", width: 18, height: 18,
        } },
        { selector: "edge", style: {
          label: "data(label)", "font-size": 10, color: colour("muted"), "line-color": "data(shade)", width: 2,
          "line-style": "data(line)", "target-arrow-shape": "triangle", "target-arrow-color": "data(shade)",
          "curve-style": "bezier", "text-background-color": colour("panel"), "text-background-opacity": 0.8,
        } },
        { selector: ".around", style: { "line-color": colour("accent"), "background-color": colour("accent"), width: 6 } },
      ],
    });
    const told = make("p", { className: "small", role: "status", textContent: "Point at an edge, or choose a cycle." });
    const choice = make("select", { ariaLabel: "Cycle to be shown" }, make("option", { value: "", textContent: "no cycle" }));
    graph.cycles.forEach((one, number) => choice.append(make("option", { value: String(number), textContent: one.text })));
    choice.addEventListener("input", () => {
      network.elements().removeClass("around");
      const cycle = graph.cycles[Number(choice.value)];
      if (!choice.value || !cycle) return;
      cycle.ligands.forEach((name, number) => {
        const next = cycle.ligands[(number + 1) % cycle.ligands.length];
        network.getElementById(id(name)).edgesWith(network.getElementById(id(next))).addClass("around");
      });
      told.textContent = cycle.text;
    });
    network.on("mouseover tap", "node, edge", (event) => { told.textContent = event.target.data("tip"); });
    if (graph.cycles.length) holder.prepend(choice);
    holder.append(told);
    network.fit(undefined, 30);
    place.dataset.drawn = "yes";
  };
  for (const button of all("button.graph")) {
    button.closest(".movable").hidden = false;
    show(button, button.nextElementSibling, drawGraph);
  }
  for (const button of all("button.site")) {
    button.hidden = false;
    show(button, button.nextElementSibling, drawSite);
  }
})();
