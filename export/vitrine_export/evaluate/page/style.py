"""How pages look: one accent, room, numbers that stand below each other; by day, by night, on paper and on a phone."""

# What any page of this package shares.
BASE = """
:root{color-scheme:light dark;--paper:#fcfbf8;--card:#fff;--ink:#23211e;--dim:#6d6860;--faint:#8d877d;--line:#e6e1d8;
--soft:#f2efe8;--bar:#c9c3b8;--accent:#0b6e5f;--wash:#0b6e5f14;--good:#2a7d3c;--bad:#b23a2e}
@media(prefers-color-scheme:dark){:root{--paper:#151614;--card:#1c1d1b;--ink:#e9e6df;--dim:#a39e94;--faint:#857f75;
--line:#33332f;--soft:#222320;--bar:#56534c;--accent:#58cdb6;--wash:#58cdb61c;--good:#74c486;--bad:#e88d80}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0 auto;padding:2.5rem 1.25rem 5rem;max-width:67rem;background:var(--paper);color:var(--ink);
font:15px/1.6 system-ui,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:break-word}
h1,h2{font-family:ui-serif,"Iowan Old Style",Georgia,"Noto Serif","Songti SC","Noto Serif CJK SC",serif;font-weight:600;
line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
h1{font-size:2.1rem;margin:0 0 .6rem}h2{font-size:1.55rem;margin:4.5rem 0 .5rem}
h3{font-size:1.05rem;line-height:1.35;margin:3rem 0 .2rem}h4{font-size:.9rem;margin:0 0 .3rem;font-weight:600}
p{margin:.35rem 0;max-width:46rem}.dim,.how,.note{color:var(--dim)}.how,.note{font-size:.9rem}.faint{color:var(--faint)}
.good{color:var(--good)}.bad{color:var(--bad)}a{color:var(--accent);text-underline-offset:.2em}
table{border-collapse:collapse;margin:.8rem 0}th,td{padding:.42rem .9rem .42rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line)}th{font-size:.8rem;font-weight:600;color:var(--dim)}.n{text-align:right}
tr.mine>*{background:linear-gradient(var(--wash) 0 0),var(--paper)}
.wide{overflow-x:auto;-webkit-overflow-scrolling:touch}
pre{background:var(--soft);padding:.7rem 1rem;border-radius:.5rem;overflow-x:auto;font-size:.82rem;line-height:1.5}
@media print{body{max-width:none;padding:0}details{break-inside:avoid}h2,h3{break-after:avoid}}
"""

# The report of an evaluation.
REPORT = """
header .eyebrow{color:var(--accent);font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase;margin:0 0 .5rem}
.lead{font-size:1.15rem;line-height:1.5;max-width:44rem}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:1.2rem 0 0;font-size:.9rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:1px;background:var(--line);
border:1px solid var(--line);border-radius:.8rem;overflow:hidden;margin:1.6rem 0}
.tile{background:var(--card);padding:.9rem 1.1rem 1rem}.tile b{display:block;font-size:1.75rem;line-height:1.2;
font-weight:600;letter-spacing:-.02em}.tile.mine b{color:var(--accent)}.tile span{display:block;color:var(--dim);font-size:.82rem;line-height:1.4}
table.rank{min-width:100%}.rank th:first-child,.rank td:first-child,.grid th:first-child,.grid td:first-child{
position:sticky;left:0;background:var(--paper);min-width:9rem;max-width:17rem;padding-left:.7rem;z-index:1}
.rank tr.mine td:first-child,.grid tr.mine td:first-child{background:linear-gradient(var(--wash) 0 0),var(--paper);
box-shadow:inset 3px 0 var(--accent)}.mine .name{color:var(--accent);font-weight:600}
.published .name{font-style:italic}.sub{display:block;font-weight:400;color:var(--faint);font-size:.76rem;line-height:1.35}
.value{min-width:8.5rem;width:32%;white-space:nowrap}.value b{font-weight:700}.best{font-weight:700}
.bar{position:relative;display:block;height:6px;margin:.28rem 0 .1rem;border-radius:3px;background:var(--soft)}
.bar i{position:absolute;top:0;bottom:0;border-radius:3px;background:var(--bar)}
.pipeline .bar i,.bar i.pipeline{background:var(--accent)}
.published .bar i{background:repeating-linear-gradient(115deg,var(--bar) 0 2px,transparent 2px 4px)}
.bar u{position:absolute;top:-1px;height:8px;border:solid var(--ink);border-width:0 1px;opacity:.65}
.bar u::after{content:"";position:absolute;left:0;right:0;top:3.5px;border-top:1px solid var(--ink)}
.bar s{position:absolute;top:-4px;bottom:-4px;border-left:1px solid var(--ink);opacity:.45}
.bars{display:grid;grid-template-columns:minmax(7rem,15rem) minmax(6rem,1fr) auto;gap:.45rem 1rem;align-items:center;margin:1rem 0;max-width:52rem}
.bars .block{grid-column:1/-1;font-size:.8rem;font-weight:600;color:var(--dim);margin-top:.6rem}
.bars .bar{margin:0;height:9px}.bars .bar u{height:9px}.bars .bar u::after{top:4px}.bars .n{white-space:nowrap}
.bars .pipeline{color:var(--accent);font-weight:600}
.gaps{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:.5rem 3rem}
.gaps .bars{grid-template-columns:minmax(6rem,9rem) 1fr auto;font-size:.88rem}
.gaps .bar{background:none;height:12px}.gaps .bar u{border:0;top:0;height:12px;opacity:1}
.gaps .bar u::after{top:5px;border-top:2px solid var(--faint)}.gaps .bar.sure u::after{border-color:var(--accent)}
.gaps .bar i{width:8px;margin-left:-4px;top:2px;bottom:2px;border-radius:50%;background:var(--faint)}.gaps .bar.sure i{background:var(--accent)}
.gaps .bar.behind u::after{border-color:var(--bad)}.gaps .bar.behind i{background:var(--bad)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:1.2rem 1.5rem;margin:1rem 0 .4rem}
.plots figure{margin:0;max-width:30rem;display:flex;flex-direction:column;justify-content:flex-end}.plot{display:block;width:100%;height:auto;overflow:visible}
.plot text{font-size:10.5px;fill:var(--dim)}.plot .axis{font-size:10.5px}.plot text.faint{fill:var(--faint);font-size:9px}
.plot .rule{stroke:var(--line)}.plot .kept{stroke:var(--faint);stroke-dasharray:2 3}.plot .lead{stroke:var(--line)}
.plot .series{color:var(--faint);opacity:.85;transition:opacity .15s}.plot .pipeline{color:var(--accent);opacity:1}.plot .series.reference{color:var(--ink)}.plot .reference polyline{stroke-width:4;stroke-dasharray:.1 6;stroke-linecap:round}
.plot polyline{fill:none;stroke:currentColor;stroke-width:1.4;stroke-linejoin:round}.plot .pipeline polyline{stroke-width:2.6}
.plot .band{fill:currentColor;opacity:.14}.plot circle{fill:currentColor;opacity:0}.plot circle:hover,.plot .lone circle{opacity:1}
.plot .label.pipeline{fill:var(--accent);font-weight:600}
.plot:has(.series:hover) .series:not(:hover){opacity:.25}
details{margin:.6rem 0}summary{cursor:pointer;color:var(--dim);font-size:.88rem}summary:hover{color:var(--ink)}
details.shopper{border-top:1px solid var(--line);margin:0;padding:.7rem 0}.shopper summary{font-size:1rem;color:var(--ink)}
.shopper summary .dim{font-size:.88rem}.shelf{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,8fr) minmax(0,4fr);gap:1rem 2.2rem;margin:.9rem 0 .5rem}
.shelf ol{list-style:none;margin:0;padding:0;font-size:.9rem;line-height:1.45}.shelf li{padding:.3rem 0;border-bottom:1px solid var(--line)}
.shelf .window li{counter-increment:place;padding-left:1.9rem;position:relative}.shelf .window{counter-reset:place}
.shelf .window li::before{content:counter(place);position:absolute;left:0;color:var(--faint);font-size:.8rem;width:1.4rem;text-align:right}
.shelf li.hit{background:linear-gradient(90deg,var(--wash),transparent)}.shelf li.hit .title{font-weight:600;color:var(--accent)}
.shelf details{margin:.5rem 0 0 1.9rem}.shelf details .window{margin:.3rem 0 0 -1.9rem}.tag{font-size:.72rem;color:var(--dim);background:var(--soft);border-radius:.6rem;padding:.02rem .45rem;margin-right:.25rem;white-space:nowrap}
.lists{display:inline}footer{margin-top:5rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--dim);font-size:.85rem}
@media(max-width:44rem){body{padding:1.4rem 1rem 4rem}h1{font-size:1.6rem}h2{font-size:1.3rem;margin-top:3.2rem}h3{margin-top:2.2rem}
.shelf{grid-template-columns:1fr}.bars{grid-template-columns:minmax(5rem,8rem) 1fr auto;gap:.45rem .6rem;font-size:.88rem}
.gaps{grid-template-columns:1fr}.value{min-width:6.8rem}
.rank th:first-child,.rank td:first-child,.grid th:first-child,.grid td:first-child{min-width:7rem;max-width:10rem}}
"""
