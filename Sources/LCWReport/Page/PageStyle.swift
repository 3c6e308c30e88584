// SPDX-License-Identifier: Apache-2.0

/// The style sheet of a report.
enum PageStyle {
  static let sheet = """
    :root{color-scheme:light dark;\(variables(.light))}
    @media (prefers-color-scheme:dark){:root{\(variables(.dark))}}
    \(layout)
    \(ChartStyle.pageRules)
    \(print)
    """

  private static func variables(_ palette: Palette) -> String {
    palette.variables.map { "--\($0.name):\($0.value)" }.joined(separator: ";")
  }

  private static let layout = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0;background:var(--background);color:var(--text);\
    font:400 1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
    main{max-width:74rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
    h1,h2,h3,h4,h5,h6{line-height:1.25;margin:2em 0 .6em;text-wrap:balance;overflow-wrap:anywhere}
    h1{font-size:1.9rem;margin-top:0}
    h2{font-size:1.35rem;padding-top:1.2rem;border-top:1px solid var(--grid)}
    h3{font-size:1.1rem}
    h4,h5,h6{font-size:1rem}
    p,li{max-width:44rem;overflow-wrap:anywhere}
    p{margin:0 0 1em}
    a{color:var(--link)}
    header p:first-of-type{font-size:1.1rem;color:var(--muted-text)}
    nav ol{padding-left:1.4em;columns:16rem}
    footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--grid);\
    color:var(--muted-text);font-size:.875rem}
    pre{background:var(--surface);border-radius:6px;padding:.8rem 1rem;overflow-x:auto;\
    font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    figure{margin:1.6rem 0 2.2rem}
    figcaption,caption{font-size:.9rem;line-height:1.45;color:var(--muted-text);text-align:left;\
    overflow-wrap:anywhere}
    figcaption{margin-top:.6rem;max-width:50rem}
    figcaption b,caption b{color:var(--text)}
    summary{cursor:pointer;margin:1rem 0}
    [data-key][role=button]{cursor:pointer}
    [data-key][aria-pressed=false]{opacity:.4;text-decoration:line-through}
    .chart{display:block;width:100%;height:auto}
    .chart.wide{max-width:56rem}
    .chart.narrow{display:none;max-width:30rem;margin:0 auto}
    .legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:0 0 .8rem;padding:0;\
    list-style:none;font-size:.875rem}
    .legend li{display:flex;align-items:center;gap:.45rem}
    .legend .chart{width:.85rem;flex:none}
    .panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));\
    gap:1.2rem}
    .panels .chart{max-width:24rem;margin:0 auto}
    .scroll{overflow-x:auto;margin:1.6rem 0 2.2rem}
    table{border-collapse:collapse;font-size:.9rem;line-height:1.4;\
    font-variant-numeric:tabular-nums}
    caption{padding:0 0 .6rem}
    caption span{display:inline-block;position:sticky;left:0;\
    max-width:min(50rem,calc(100vw - 3rem))}
    th,td{padding:.4rem .9rem;text-align:left;vertical-align:baseline;\
    border-bottom:1px solid var(--grid)}
    th:first-child,td:first-child{padding-left:.2rem}
    .scroll tr>:first-child{position:sticky;left:0;background:var(--background)}
    thead th{border-bottom:1.5px solid var(--axis);vertical-align:bottom}
    tbody th{font-weight:400}
    tbody tr:last-child>*{border-bottom:1.5px solid var(--axis)}
    .long{min-width:14rem}
    .number{text-align:right;white-space:nowrap}
    .notes{margin:.6rem 0 0;padding:0;list-style:none;font-size:.85rem;color:var(--muted-text)}
    .notes li{position:sticky;left:0;max-width:min(50rem,calc(100vw - 3rem))}
    :focus-visible{outline:2px solid var(--link);outline-offset:3px}
    @media (max-width:40rem){main{padding:1.5rem 1rem 3rem}h1{font-size:1.55rem}\
    .chart.wide{display:none}.chart.narrow{display:block}\
    caption span,.notes li{max-width:calc(100vw - 2rem)}}
    """

  /// Paper is white, scrolls nowhere, and breaks between figures.
  private static let print = """
    @media print{:root{color-scheme:light;\(variables(.light))}
    main{max-width:none;padding:0}body{font-size:10pt}
    .chart.wide{display:block}.chart.narrow{display:none}
    .scroll,pre{overflow:visible}
    pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--grid)}
    table{font-size:7.5pt;width:100%}th,td{padding:.15rem .25rem;overflow-wrap:anywhere}
    .number{white-space:normal;overflow-wrap:normal}.long{min-width:0}
    .broad{font-size:5.5pt}.broad th,.broad td{padding:.1rem .12rem}
    caption span,.notes li{position:static;max-width:none}
    figure,tr,pre{break-inside:avoid}h1,h2,h3,h4,h5,h6,caption{break-after:avoid}}
    """
}
