// Draws the charts of a page from the values they carry; the table of the same numbers stays.
(() => {
  "use strict";
  const drawn = new Map();

  // Told apart without color too: lines differ in dash, and every series is named on hover.
  const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3]];

  // ECharts parses colors itself and knows no light-dark() or color-mix(); a canvas resolves them.
  function resolved(name, from) {
    const probe = document.createElement("span");
    probe.hidden = true;
    probe.style.color = `var(${name})`;
    from.append(probe);
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return `rgb(${red}, ${green}, ${blue})`;
  }

  function palette(from) {
    const color = (name) => resolved(name, from);
    return {
      text: color("--tblr-body-color"),
      soft: color("--setia-soft"),
      line: color("--setia-line"),
      surface: color("--setia-surface"),
      series: ["--tblr-primary", "--setia-info", "--setia-warn", "--setia-good", "--setia-bad"].map(color),
      named: {
        good: color("--setia-good"),
        bad: color("--setia-bad"),
        warning: color("--setia-warn"),
        neutral: color("--setia-soft"),
        info: color("--setia-info"),
      },
    };
  }

  function seriesOption(line, index, data, colors) {
    const bars = data.kind === "bar" || data.kind === "stacked";
    const color = colors.named[data.colors[index]] || colors.series[index % colors.series.length];
    return {
      name: line.name,
      type: bars ? "bar" : "line",
      stack: data.kind === "stacked" ? "all" : undefined,
      data: line.values,
      color,
      barMaxWidth: 28,
      itemStyle: bars && data.kind === "bar" ? { borderRadius: [3, 3, 0, 0] } : undefined,
      showSymbol: line.values.length === 1,
      symbolSize: 7,
      lineStyle: { width: 2, type: DASHES[index % DASHES.length] },
      areaStyle: data.kind === "area" ? { opacity: 0.14 } : undefined,
      emphasis: { focus: "series" },
    };
  }

  function option(data, colors, still, font) {
    const number = new Intl.NumberFormat(data.locale);
    const brief = new Intl.NumberFormat(data.locale, { notation: "compact" });
    const several = data.series.length > 1;
    const unit = data.unit ? `\u00a0${data.unit}` : "";
    return {
      animation: !still,
      animationDuration: 250,
      textStyle: { fontFamily: font, color: colors.text },
      grid: { left: 4, right: 12, top: several ? 36 : 12, bottom: 4, containLabel: true },
      legend: several
        ? { top: 0, left: 0, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: colors.text } }
        : undefined,
      tooltip: {
        trigger: "axis",
        // Drawn on the canvas: an HTML tooltip would need inline styles.
        renderMode: "richText",
        confine: true,
        backgroundColor: colors.surface,
        borderColor: colors.line,
        textStyle: { color: colors.text, fontFamily: font },
        valueFormatter: (value) => (value == null ? "–" : number.format(value) + unit),
      },
      xAxis: {
        type: "category",
        data: data.labels,
        boundaryGap: data.kind === "bar" || data.kind === "stacked",
        axisLine: { lineStyle: { color: colors.line } },
        axisTick: { show: false },
        axisLabel: { color: colors.soft, hideOverlap: true, margin: 12 },
      },
      yAxis: {
        type: "value",
        splitNumber: 4,
        axisLabel: { color: colors.soft, formatter: (value) => brief.format(value) },
        splitLine: { lineStyle: { color: colors.line } },
      },
      series: data.series.map((line, index) => seriesOption(line, index, data, colors)),
    };
  }

  // Bars that float: before each comes one that is not seen, from where the last one ended.
  function timelineOption(data, colors, still, font) {
    const days = data.labels.length - 1;
    // An hour of three months is to be seen, too.
    const least = days / 150;
    const ended = new Map(data.rows.map((row) => [row, 0]));
    const series = data.spans.flatMap((span) => {
      const place = data.rows.indexOf(span.row);
      const only = (item) => data.rows.map((_, index) => (index === place ? item : null));
      const width = Math.max(span.last - span.first, least);
      const first = Math.max(Math.min(span.first, days - width), ended.get(span.row));
      const gap = first - ended.get(span.row);
      ended.set(span.row, first + width);
      const bar = { type: "bar", stack: "all", barWidth: 18 };
      return [
        { ...bar, data: only(gap), silent: true, tooltip: { show: false }, itemStyle: { color: "transparent" } },
        {
          ...bar,
          name: span.text,
          data: only(width),
          itemStyle: { color: colors.named[span.color], borderRadius: 3, borderColor: colors.surface, borderWidth: 1 },
        },
      ];
    });
    const label = (day) => data.labels[Math.round(day)] ?? "";
    return {
      animation: !still,
      animationDuration: 250,
      textStyle: { fontFamily: font, color: colors.text },
      grid: { left: 4, right: 24, top: 8, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "item",
        renderMode: "richText",
        confine: true,
        backgroundColor: colors.surface,
        borderColor: colors.line,
        textStyle: { color: colors.text, fontFamily: font, width: 280, overflow: "break" },
        formatter: (item) => {
          const span = data.spans.find((each) => each.row === item.name && each.text === item.seriesName);
          return `${item.name}\n${item.seriesName}\n${label(span.first)} – ${label(span.last)}`;
        },
      },
      xAxis: {
        type: "value",
        min: 0,
        max: days,
        interval: days / 6,
        axisLabel: { color: colors.soft, hideOverlap: true, formatter: label },
        splitLine: { lineStyle: { color: colors.line } },
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: data.rows,
        axisLine: { lineStyle: { color: colors.line } },
        axisTick: { show: false },
        axisLabel: { color: colors.text, width: 130, overflow: "truncate" },
      },
      series,
    };
  }

  function draw(figure) {
    const canvas = figure.querySelector("[data-chart-canvas]");
    const data = JSON.parse(figure.dataset.chartValues);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const font = getComputedStyle(document.body).fontFamily;
    if (!drawn.has(figure)) {
      canvas.hidden = false;
      figure.querySelector("[data-chart-table]").hidden = true;
      figure.querySelector("[data-chart-toggle]").hidden = false;
      const chart = echarts.init(canvas, null, { renderer: "canvas" });
      const watcher = new ResizeObserver(() => chart.resize());
      watcher.observe(canvas);
      drawn.set(figure, { chart, watcher });
    }
    const made = data.kind === "timeline" ? timelineOption : option;
    drawn.get(figure).chart.setOption(made(data, palette(figure), still, font), true);
  }

  function forgetGone() {
    drawn.forEach(({ chart, watcher }, figure) => {
      if (figure.isConnected) return;
      watcher.disconnect();
      chart.dispose();
      drawn.delete(figure);
    });
  }

  window.setiaCharts = {
    drawAll(part) {
      forgetGone();
      part.querySelectorAll("[data-chart]").forEach(draw);
    },
  };

  document.addEventListener("setia:theme", () => {
    forgetGone();
    drawn.forEach((_, figure) => draw(figure));
  });
})();
